import { Alert, Button, Checkbox, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { share, type Share } from '../../api/session';
import { useT } from '../../i18n';
import { CopyButton } from '../../ui/CopyButton';
import { useFormat } from '../../ui/format';
import { Problem } from '../../ui/Problem';
import { QRCode } from './QRCode';

const choices = { '1h': 3600, '1d': 86_400, '7d': 7 * 86_400 } as const;

/** Makes a link to one object for somebody without an account. */
export function ShareDialog({ bucket, objectKey, versionId, onClose }: { bucket: string; objectKey: string; versionId?: string | undefined; onClose: () => void }) {
  const t = useT();
  const format = useFormat();
  const [choice, setChoice] = useState<string>('1d');
  const [hours, setHours] = useState<number | string>(12);
  const [download, setDownload] = useState(false);
  const [busy, setBusy] = useState(false);
  const [made, setMade] = useState<Share>();
  const [error, setError] = useState<unknown>();
  const submit = (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    const expiresIn = choice in choices ? choices[choice as keyof typeof choices] : Math.round(Number(hours) * 3600);
    share({ bucket, key: objectKey, expiresIn, download, ...(versionId ? { versionId } : {}) })
      .then(setMade, setError)
      .finally(() => setBusy(false));
  };
  return (
    <Modal opened onClose={onClose} title={t('share.title')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <Stack>
        <Text size="md" style={{ overflowWrap: 'anywhere' }} ff="monospace">
          {bucket}/{objectKey}
        </Text>
        {made ? (
          <>
            <Group gap={6} wrap="nowrap" align="flex-end">
              <TextInput label={t('share.link')} value={made.url} readOnly flex={1} onFocus={(e) => e.currentTarget.select()} data-autofocus />
              <CopyButton value={made.url} size="md" label={t('share.copy')} />
            </Group>
            <Group justify="center">
              <QRCode text={made.url} label={t('share.qr')} />
            </Group>
            <Alert color="indigo" icon={<IconInfoCircle aria-hidden />}>
              {t('share.until', { time: format.time(made.expires) })} {t('share.revoke', { key: made.accessKey })}
            </Alert>
            <Group justify="flex-end">
              <Button onClick={onClose}>{t('action.close')}</Button>
            </Group>
          </>
        ) : (
          <form onSubmit={submit}>
            <Stack>
              <Group grow align="flex-end">
                <Select
                  label={t('share.expires')} value={choice} onChange={(v) => v && setChoice(v)} allowDeselect={false} data-autofocus
                  data={[
                    { value: '1h', label: t('share.hour') },
                    { value: '1d', label: t('share.day') },
                    { value: '7d', label: t('share.week') },
                    { value: 'other', label: t('share.other') },
                  ]}
                />
                {choice === 'other' && <NumberInput label={t('share.hours')} value={hours} onChange={setHours} min={1} max={168} required withAsterisk={false} />}
              </Group>
              <Checkbox label={t('share.download')} checked={download} onChange={(e) => setDownload(e.currentTarget.checked)} />
              <Text size="sm" c="dimmed">
                {t('share.hint')}
              </Text>
              {error !== undefined && <Problem error={error} />}
              <Group justify="flex-end">
                <Button variant="default" onClick={onClose}>
                  {t('action.cancel')}
                </Button>
                <Button type="submit" loading={busy}>
                  {t('share.create')}
                </Button>
              </Group>
            </Stack>
          </form>
        )}
      </Stack>
    </Modal>
  );
}
