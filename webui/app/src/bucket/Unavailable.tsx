import { Alert } from '@mantine/core';
import { IconTool } from '@tabler/icons-react';
import { useT, type Key } from '../i18n';

/** Says honestly that this server has no such setting; `why` when it is more than the version. */
export function Unavailable({ why }: { why?: Key }) {
  const t = useT();
  return (
    <Alert color="gray" icon={<IconTool aria-hidden />} title={t(why ? 'ui.notHere' : 'ui.unavailable')}>
      {t(why ?? 'bucket.unavailable')}
    </Alert>
  );
}
