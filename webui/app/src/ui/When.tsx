import { useT } from '../i18n';
import { useFormat } from './format';

/** A time for people, with the exact one behind it. `relative` says "3 hours ago". */
export function When({ value, relative }: { value: string | undefined; relative?: boolean }) {
  const t = useT();
  const format = useFormat();
  if (!value || value.startsWith('0001-')) return <>{t('ui.never')}</>;
  return (
    <time dateTime={value} title={format.exact(value)} style={{ whiteSpace: 'nowrap' }}>
      {relative ? format.ago(value) : format.time(value)}
    </time>
  );
}
