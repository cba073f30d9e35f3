import { Checkbox, MultiSelect, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { FormDialog } from '../../admin/parts/FormDialog';
import type { Target } from '../../admin/targets/target';
import { useT } from '../../i18n';
import { freshEventRule, kindNames, namesOf, sameTarget, whole, wholeKind, withoutDoubles, type EventRule } from './rule';

interface Props {
  rule?: EventRule;
  /** Those of the server; undefined for who may not see them. */
  targets: Target[] | undefined;
  onSave: (rule: EventRule) => Promise<unknown>;
  onClose: () => void;
}

/** Makes a rule, or changes one. */
export function EventDialog({ rule: before, targets, onSave, onClose }: Props) {
  const t = useT();
  const first = before ?? { ...freshEventRule, arn: targets?.[0]?.arn ?? '' };
  const [rule, setRule] = useState(first);
  const set = (part: Partial<EventRule>) => setRule((r) => ({ ...r, ...part }));
  const wholes = rule.events.filter((e) => wholeKind(e) !== undefined);
  const singles = rule.events.filter((e) => wholeKind(e) === undefined);
  const choose = (events: string[]) => set({ events: withoutDoubles(events) });
  const known = targets?.some((x) => sameTarget(x.arn, rule.arn)) ?? false;
  const offered = kindNames.filter((k) => !wholes.includes(whole(k))).flatMap(namesOf);
  return (
    <FormDialog
      title={t(before ? 'lifecycle.edit' : 'lifecycle.add')} action={t('action.save')} disabled={rule.events.length === 0 || rule.arn === '' || JSON.stringify(rule) === JSON.stringify(before)} onSubmit={() => onSave({ ...rule, id: rule.id.trim() })}
      onClose={onClose}
    >
      {targets ? (
        <NativeSelect
          label={t('events.target')} value={targets.find((x) => sameTarget(x.arn, rule.arn))?.arn ?? rule.arn} onChange={(e) => set({ arn: e.currentTarget.value })} data-autofocus
          data={[...(known || rule.arn === '' ? [] : [{ value: rule.arn, label: rule.arn }]), ...targets.map((x) => ({ value: x.arn, label: `${x.kind} ${x.name.slice(x.kind.length + 1)}` }))]}
        />
      ) : (
        <TextInput label={t('events.target')} description={t('events.target.hint')} value={rule.arn} onChange={(e) => set({ arn: e.currentTarget.value })} required withAsterisk={false} placeholder="arn:minio:sqs::ID:webhook" spellCheck={false} data-autofocus />
      )}
      <Checkbox.Group label={t('bucket.events')} value={wholes} onChange={(v) => choose([...v, ...singles])}>
        <Stack gap="xs" mt={6}>
          {kindNames.map((k) => (
            <Checkbox key={k} value={whole(k)} label={t(`events.kind.${k}`)} description={t(`events.kind.${k}.hint`)} />
          ))}
        </Stack>
      </Checkbox.Group>
      <MultiSelect
        label={t('events.single')} description={t('events.single.hint')} value={singles} onChange={(v) => choose([...wholes, ...v])} searchable
        data={[...singles.filter((e) => !offered.includes(e)), ...offered].map((e) => ({ value: e, label: e.replace(/^s3:/, '') }))}
      />
      <TextInput label={t('lifecycle.prefix')} value={rule.prefix} onChange={(e) => set({ prefix: e.currentTarget.value })} maxLength={1024} placeholder="in/" spellCheck={false} autoComplete="off" />
      <TextInput label={t('events.suffix')} value={rule.suffix} onChange={(e) => set({ suffix: e.currentTarget.value })} maxLength={1024} placeholder=".jpg" spellCheck={false} autoComplete="off" />
      <TextInput label={t('lifecycle.id')} description={t('events.id.hint')} value={rule.id} onChange={(e) => set({ id: e.currentTarget.value })} maxLength={255} spellCheck={false} autoComplete="off" />
    </FormDialog>
  );
}
