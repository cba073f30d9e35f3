import { Alert, Button, Group, NumberInput, Select, Stack, Switch, Text } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { getVersioning, putSetting, setVersioning, type LockDefault } from '../api/s3';
import { lockXML, parseLock } from '../api/s3xml';
import { useT } from '../i18n';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { SectionHead, type SectionProps } from './Section';
import { Asked, useChange, useSetting } from './setting';

/** Versioning and object lock, which go together. */
export function Versioning({ bucket }: SectionProps) {
  const t = useT();
  const state = useQuery({ queryKey: ['bucket', bucket, 'versioning'], queryFn: ({ signal }) => getVersioning(bucket, signal), retry: false });
  const lock = useSetting(bucket, 'object-lock');
  const change = useChange(() => state.refetch());
  const locked = typeof lock.data === 'string' && parseLock(lock.data).enabled;
  return (
    <>
      <SectionHead title="bucket.versioning" hint="versioning.hint" />
      <Asked query={state}>
        {(s) => (
          <Stack>
            <Switch
              label={t('versioning.keep')} description={s === 'Suspended' ? t('versioning.suspended') : undefined} checked={s === 'Enabled'} disabled={change.busy || (locked && s === 'Enabled')}
              onChange={(e) => void change.run(setVersioning.bind(null, bucket, e.currentTarget.checked))}
            />
            {locked && (
              <Text size="sm" c="dimmed">
                {t('versioning.locked')}
              </Text>
            )}
            {change.problem}
          </Stack>
        )}
      </Asked>
      <div style={{ height: 32 }} />
      <SectionHead title="bucket.lock" hint="lock.bucket.hint" />
      <Asked query={lock}>{(doc) => <Lock key={doc} bucket={bucket} state={doc === null ? { enabled: false } : parseLock(doc)} versioned={state.data === 'Enabled'} saved={lock.refetch} />}</Asked>
    </>
  );
}

function Lock({ bucket, state, versioned, saved }: { bucket: string; state: { enabled: boolean; rule?: LockDefault }; versioned: boolean; saved: () => unknown }) {
  const t = useT();
  const [enabling, setEnabling] = useState(false);
  const [mode, setMode] = useState<'' | LockDefault['mode']>(state.rule?.mode ?? '');
  const [unit, setUnit] = useState(state.rule?.unit ?? 'Days');
  const [count, setCount] = useState<number | string>(state.rule?.count ?? 30);
  const change = useChange(saved);
  if (!state.enabled) {
    return (
      <Stack align="flex-start">
        <Text>{t('lock.bucket.off')}</Text>
        <Button variant="default" onClick={() => setEnabling(true)} disabled={!versioned}>
          {t('lock.enable')}
        </Button>
        {!versioned && (
          <Text size="sm" c="dimmed">
            {t('lock.needsVersioning')}
          </Text>
        )}
        {enabling && (
          <ConfirmDialog title={t('lock.enable')} action={t('lock.enable')} onClose={() => setEnabling(false)} onConfirm={async () => (await putSetting(bucket, 'object-lock', lockXML()), await saved())}>
            {t('lock.enable.text')}
          </ConfirmDialog>
        )}
      </Stack>
    );
  }
  return (
    <Stack>
      <Alert color="indigo" icon={<IconInfoCircle aria-hidden />}>
        {t('lock.bucket.on')}
      </Alert>
      <Group align="flex-end">
        <Select
          label={t('buckets.retention')} value={mode} onChange={(v) => setMode((v ?? '') as typeof mode)} allowDeselect={false}
          data={[{ value: '', label: t('ui.none') }, { value: 'GOVERNANCE', label: t('lock.governance') }, { value: 'COMPLIANCE', label: t('lock.compliance') }]}
        />
        {mode !== '' && (
          <>
            <NumberInput aria-label={t('lock.length')} value={count} onChange={setCount} min={1} max={unit === 'Days' ? 36500 : 100} allowDecimal={false} w={110} />
            <Select aria-label={t('lock.unit')} value={unit} onChange={(v) => v && setUnit(v as typeof unit)} allowDeselect={false} w={110} data={[{ value: 'Days', label: t('lock.days') }, { value: 'Years', label: t('lock.years') }]} />
          </>
        )}
      </Group>
      {mode === 'COMPLIANCE' && <Alert color="orange">{t('lock.compliance.warning')}</Alert>}
      {change.problem}
      <Group>
        <Button loading={change.busy} onClick={() => void change.run(() => putSetting(bucket, 'object-lock', lockXML(mode === '' ? undefined : { mode, unit, count: Number(count) })))}>
          {t('action.save')}
        </Button>
      </Group>
    </Stack>
  );
}
