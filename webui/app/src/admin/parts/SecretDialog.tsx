import { Alert, Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconDownload } from '@tabler/icons-react';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { CopyButton } from '../../ui/CopyButton';
import { SecretField } from '../../ui/SecretField';
import type { Secret } from '../types';
import { save } from './save';

/** Shows credentials that the server tells only now. */
export function SecretDialog({ secret, title, onClose }: { secret: Secret; title: string; onClose: () => void }) {
  const t = useT();
  const { server } = useSession();
  const download = () =>
    save(
      `credentials-${secret.accessKey}.json`,
      JSON.stringify({ url: server.s3URL, accessKey: secret.accessKey, secretKey: secret.secret, region: server.region, api: 's3v4', path: 'auto' }, null, 2) + '\n',
      'application/json',
    );
  return (
    <Modal opened onClose={onClose} title={title} closeOnClickOutside={false} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <Stack>
        <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />}>
          {t('admin.secret.once')}
        </Alert>
        <Group gap={6} align="flex-end" wrap="nowrap">
          <TextInput label={t('admin.accessKey')} value={secret.accessKey} readOnly flex={1} ff="monospace" />
          <CopyButton value={secret.accessKey} size="md" />
        </Group>
        <SecretField label={t('admin.secretKey')} value={secret.secret} />
        <Group justify="space-between">
          <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={download}>
            {t('admin.secret.download')}
          </Button>
          <Button onClick={onClose}>{t('admin.secret.kept')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
