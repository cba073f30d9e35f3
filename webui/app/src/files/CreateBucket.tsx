import { Button, Group, Modal, NumberInput, Select, Stack, Switch, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useLocation } from 'wouter';
import { adminSend } from '../api/admin';
import { createBucket, putSetting, setVersioning } from '../api/s3';
import { lockXML } from '../api/s3xml';
import { useSession } from '../app/session';
import { useT } from '../i18n';
import { Problem } from '../ui/Problem';
import { useDone, useReport } from '../ui/report';
import { bucketsKey } from './buckets';
import { folderPath } from './place';

const units = { MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** Makes a bucket with the settings that belong to its beginning. */
export function CreateBucket({ onClose }: { onClose: () => void }) {
  const t = useT();
  const { may, server } = useSession();
  const client = useQueryClient();
  const [, go] = useLocation();
  const done = useDone();
  const report = useReport();
  const [name, setName] = useState('');
  const [versioned, setVersioned] = useState(false);
  const [lock, setLock] = useState(false);
  const [mode, setMode] = useState<'' | 'GOVERNANCE' | 'COMPLIANCE'>('');
  const [days, setDays] = useState<number | string>(30);
  const [quota, setQuota] = useState<number | string>('');
  const [unit, setUnit] = useState<keyof typeof units>('GiB');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await createBucket(name, lock);
    } catch (e) {
      setError(e);
      setBusy(false);
      return;
    }
    // From here on the bucket is there; a setting that fails is told, and can be made on its page.
    try {
      if (versioned && !lock) await setVersioning(name, true);
      if (lock && mode) await putSetting(name, 'object-lock', lockXML({ mode, unit: 'Days', count: Number(days) }));
      if (quota !== '') await adminSend('PUT', ['buckets', name, 'quota'], { quota: Math.round(Number(quota) * units[unit]) });
      done(t('buckets.created.done', { bucket: name }));
    } catch (e) {
      report(e, t('buckets.created.partly', { bucket: name }));
    }
    void client.invalidateQueries({ queryKey: bucketsKey });
    go(folderPath(name, ''));
  };

  return (
    <Modal opened onClose={onClose} title={t('buckets.create')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <form onSubmit={(e) => void submit(e)}>
        <Stack>
          <TextInput
            label={t('ui.name')} description={t('buckets.name.hint')} value={name} onChange={(e) => setName(e.currentTarget.value.toLowerCase())} required withAsterisk={false} data-autofocus
            minLength={3} maxLength={63} pattern="[a-z0-9][a-z0-9.\-]*[a-z0-9]" title={t('error.hint.InvalidBucketName')} spellCheck={false} autoComplete="off"
          />
          <Switch label={t('bucket.versioning')} description={t('buckets.versioning.hint')} checked={versioned || lock} disabled={lock} onChange={(e) => setVersioned(e.currentTarget.checked)} />
          <Switch label={t('bucket.lock')} description={t('buckets.lock.hint')} checked={lock} onChange={(e) => setLock(e.currentTarget.checked)} />
          {lock && (
            <Group grow align="flex-end">
              <Select label={t('buckets.retention')} value={mode} onChange={(v) => setMode((v ?? '') as typeof mode)} allowDeselect={false}
                data={[{ value: '', label: t('ui.none') }, { value: 'GOVERNANCE', label: t('lock.governance') }, { value: 'COMPLIANCE', label: t('lock.compliance') }]} />
              {mode !== '' && <NumberInput label={t('lock.days')} value={days} onChange={setDays} min={1} max={36500} required withAsterisk={false} allowDecimal={false} />}
            </Group>
          )}
          {may('admin:SetBucketQuota') && !server.gateway && (
            <Group align="flex-end" wrap="nowrap">
              <NumberInput label={t('bucket.quota')} description={t('buckets.quota.hint')} value={quota} onChange={setQuota} min={0} flex={1} placeholder={t('quota.none')} />
              <Select aria-label={t('quota.unit')} value={unit} onChange={(v) => v && setUnit(v as keyof typeof units)} data={Object.keys(units)} w={90} allowDeselect={false} />
            </Group>
          )}
          {error !== undefined && <Problem error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="submit" loading={busy}>{t('action.create')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
