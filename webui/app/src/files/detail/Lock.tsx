import { Button, Checkbox, Group, Select, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { getSetting, setLegalHold, setRetention, type Head } from '../../api/s3';
import { parseLock } from '../../api/s3xml';
import { useT } from '../../i18n';
import { Problem } from '../../ui/Problem';
import { useDone } from '../../ui/report';

interface Props {
  bucket: string;
  objectKey: string;
  version: string | undefined;
  info: Head;
  changed: () => void;
}

/** Retention and legal hold of one version. */
export function Lock({ bucket, objectKey, version, info, changed }: Props) {
  const t = useT();
  const done = useDone();
  const lock = useQuery({ queryKey: ['bucket', bucket, 'object-lock'], queryFn: async ({ signal }) => parseLock((await getSetting(bucket, 'object-lock', signal)) ?? '<x/>'), retry: false });
  const [mode, setMode] = useState(info.lockMode || 'GOVERNANCE');
  const [until, setUntil] = useState(local(info.lockUntil));
  const [bypass, setBypass] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const target = version ?? (info.versionId || undefined);
  const run = (f: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    f()
      .then(() => {
        done(t('ui.saved'));
        changed();
      }, setError)
      .finally(() => setBusy(false));
  };
  if (lock.data && !lock.data.enabled) return <Text c="dimmed">{t('lock.off')}</Text>;
  return (
    <Stack>
      <Title order={3}>{t('detail.retention')}</Title>
      <Text size="sm" c="dimmed">
        {t('lock.hint')}
      </Text>
      <Group grow align="flex-end">
        <Select label={t('lock.mode')} value={mode} onChange={(v) => v && setMode(v)} allowDeselect={false} data={[{ value: 'GOVERNANCE', label: t('lock.governance') }, { value: 'COMPLIANCE', label: t('lock.compliance') }]} />
        <TextInput type="datetime-local" label={t('lock.until')} value={until} onChange={(e) => setUntil(e.currentTarget.value)} />
      </Group>
      {info.lockMode === 'GOVERNANCE' && <Checkbox label={t('lock.bypass')} checked={bypass} onChange={(e) => setBypass(e.currentTarget.checked)} />}
      <Group>
        <Button loading={busy} disabled={until === ''} onClick={() => run(() => setRetention(bucket, objectKey, target, mode, new Date(until).toISOString(), bypass))}>
          {t('action.save')}
        </Button>
        {info.lockMode === 'GOVERNANCE' && (
          <Button variant="default" disabled={!bypass || busy} onClick={() => run(() => setRetention(bucket, objectKey, target, '', '', true))}>
            {t('lock.remove')}
          </Button>
        )}
      </Group>
      <Title order={3} mt="sm">
        {t('detail.hold')}
      </Title>
      <Switch label={t('lock.hold')} description={t('lock.hold.hint')} checked={info.legalHold === 'ON'} disabled={busy} onChange={(e) => run(() => setLegalHold(bucket, objectKey, target, e.currentTarget.checked))} />
      {error !== undefined && <Problem error={error} />}
    </Stack>
  );
}

// local is a time as an input field of the browser's own time zone has it.
function local(time: string): string {
  const d = new Date(time);
  if (time === '' || Number.isNaN(d.getTime())) return '';
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
