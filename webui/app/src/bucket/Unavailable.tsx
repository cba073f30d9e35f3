import { Alert } from '@mantine/core';
import { IconTool } from '@tabler/icons-react';
import { useT } from '../i18n';

/** Says honestly that this version has no such setting. */
export function Unavailable() {
  const t = useT();
  return (
    <Alert color="gray" icon={<IconTool aria-hidden />} title={t('ui.unavailable')}>
      {t('bucket.unavailable')}
    </Alert>
  );
}
