import { Alert } from '@mantine/core';
import { useT } from '../../i18n';

/** Stands in for a preview that the browser could not make. */
export function Broken() {
  const t = useT();
  return (
    <Alert color="gray" title={t('preview.failed')}>
      {t('preview.broken')}
    </Alert>
  );
}
