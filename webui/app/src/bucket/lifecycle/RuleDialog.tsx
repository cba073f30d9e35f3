import { Checkbox, Fieldset, Group, InputLabel, NativeSelect, NumberInput, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { FormDialog } from '../../admin/parts/FormDialog';
import { useT, type Key } from '../../i18n';
import { Pairs } from '../../ui/Pairs';
import { SizeInput } from '../../ui/SizeInput';
import { acts, asks, freshRule, type Rule } from './rule';

type Part = { rule: Rule; set: (part: Partial<Rule>) => void };

/** Makes a rule, or changes one. */
export function RuleDialog({ rule: before, onSave, onClose }: { rule?: Rule; onSave: (rule: Rule) => Promise<unknown>; onClose: () => void }) {
  const t = useT();
  const [rule, setRule] = useState(before ?? freshRule);
  const part: Part = { rule, set: (p) => setRule((r) => ({ ...r, ...p })) };
  const wanted = { ...rule, id: rule.id.trim(), tags: rule.tags.filter((tag) => tag.key !== '') };
  return (
    <FormDialog title={t(before ? 'lifecycle.edit' : 'lifecycle.add')} action={t('action.save')} disabled={!acts(rule) || JSON.stringify(wanted) === JSON.stringify(before)} onSubmit={() => onSave(wanted)} onClose={onClose}>
      <TextInput label={t('lifecycle.id')} description={t('lifecycle.id.hint')} value={rule.id} onChange={(e) => part.set({ id: e.currentTarget.value })} maxLength={255} spellCheck={false} autoComplete="off" data-autofocus />
      <Switch label={t('lifecycle.state')} checked={rule.enabled} onChange={(e) => part.set({ enabled: e.currentTarget.checked })} />
      <Which {...part} />
      <Current {...part} />
      <Fieldset legend={t('lifecycle.noncurrent')}>
        <Group align="flex-end" grow preventGrowOverflow={false}>
          <Days label="lifecycle.noncurrent.days" value={rule.noncurrentDays} onChange={(n) => part.set({ noncurrentDays: n })} />
          <Days label="lifecycle.newer" value={rule.newer} onChange={(n) => part.set({ newer: n })} />
        </Group>
      </Fieldset>
      <Fieldset legend={t('lifecycle.uploads')}>
        <Days label="lifecycle.abort" value={rule.abortDays} onChange={(n) => part.set({ abortDays: n })} />
      </Fieldset>
      <Whole {...part} />
      {asks(wanted) && (rule.expire === 'marker' || rule.abortDays !== undefined || rule.markerDays !== undefined) && <Text size="sm">{t('lifecycle.asks')}</Text>}
      <Text size="sm" c="dimmed">
        {t('lifecycle.soon')}
      </Text>
    </FormDialog>
  );
}

/** A number that may be left out. */
function Days({ label, value, onChange, required = false }: { label: Key; value: number | undefined; onChange: (n: number | undefined) => void; required?: boolean }) {
  const t = useT();
  return <NumberInput label={t(label)} value={value ?? ''} onChange={(v) => onChange(v === '' ? undefined : Number(v))} min={1} max={2 ** 31 - 1} allowDecimal={false} required={required} withAsterisk={false} maw={320} />;
}

function Which({ rule, set }: Part) {
  const t = useT();
  return (
    <Fieldset legend={t('lifecycle.for')}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {t('lifecycle.for.hint')}
        </Text>
        <TextInput label={t('lifecycle.prefix')} value={rule.prefix} onChange={(e) => set({ prefix: e.currentTarget.value })} maxLength={1024} placeholder="logs/" spellCheck={false} autoComplete="off" />
        <div>
          <InputLabel>{t('detail.tags')}</InputLabel>
          <Pairs pairs={rule.tags} onChange={(tags) => set({ tags })} max={10} keyLimit={128} valueLimit={256} />
        </div>
        <Group>
          <SizeInput label={t('lifecycle.larger')} value={rule.larger} onChange={(larger) => set({ larger })} unit="KiB" />
          <SizeInput label={t('lifecycle.smaller')} value={rule.smaller} onChange={(smaller) => set({ smaller })} unit="KiB" />
        </Group>
      </Stack>
    </Fieldset>
  );
}

const choices: { value: Rule['expire']; label: Key }[] = [
  { value: '', label: 'lifecycle.expire.none' },
  { value: 'days', label: 'lifecycle.expire.days' },
  { value: 'date', label: 'lifecycle.expire.date' },
  { value: 'marker', label: 'lifecycle.expire.marker' },
];

function Current({ rule, set }: Part) {
  const t = useT();
  const choose = (expire: Rule['expire']) => set({ expire, days: expire === 'days' ? 30 : undefined, date: '', allVersions: false });
  return (
    <Fieldset legend={t('lifecycle.expire')}>
      <Stack gap="sm">
        <NativeSelect aria-label={t('lifecycle.expire')} value={rule.expire} onChange={(e) => choose(e.currentTarget.value as Rule['expire'])} data={choices.map((c) => ({ value: c.value, label: t(c.label) }))} />
        {rule.expire === 'days' && (
          <>
            <Days label="lifecycle.days" value={rule.days} onChange={(days) => set({ days })} required />
            <Checkbox label={t('lifecycle.allVersions')} checked={rule.allVersions} onChange={(e) => set({ allVersions: e.currentTarget.checked })} />
          </>
        )}
        {rule.expire === 'date' && (
          <TextInput type="date" label={t('lifecycle.date')} description={t('lifecycle.date.hint')} value={rule.date} onChange={(e) => set({ date: e.currentTarget.value })} min="1970-01-01" required withAsterisk={false} maw={320} />
        )}
      </Stack>
    </Fieldset>
  );
}

function Whole({ rule, set }: Part) {
  const t = useT();
  return (
    <Fieldset legend={t('lifecycle.minio')}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {t('lifecycle.minio.hint')}
        </Text>
        <Group align="flex-end" grow preventGrowOverflow={false}>
          <Days label="lifecycle.allDays" value={rule.allDays} onChange={(n) => set({ allDays: n, allMarkers: rule.allMarkers && n !== undefined })} />
          <Days label="lifecycle.markerDays" value={rule.markerDays} onChange={(n) => set({ markerDays: n })} />
        </Group>
        <Checkbox label={t('lifecycle.allMarkers')} checked={rule.allMarkers} disabled={rule.allDays === undefined} onChange={(e) => set({ allMarkers: e.currentTarget.checked })} />
      </Stack>
    </Fieldset>
  );
}
