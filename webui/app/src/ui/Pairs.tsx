import { ActionIcon, Button, Group, Stack, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useT } from '../i18n';

export interface Pair {
  key: string;
  value: string;
}

/** A list of names with values that can be edited. */
export function Pairs({ pairs, onChange, max, keyLimit, valueLimit }: { pairs: Pair[]; onChange: (p: Pair[]) => void; max: number; keyLimit?: number; valueLimit?: number }) {
  const t = useT();
  const set = (i: number, part: Partial<Pair>) => onChange(pairs.map((p, j) => (j === i ? { ...p, ...part } : p)));
  return (
    <Stack gap="xs">
      {pairs.map((p, i) => (
        <Group key={i} gap={6} wrap="nowrap">
          <TextInput aria-label={`${t('ui.key')} ${i + 1}`} placeholder={t('ui.key')} value={p.key} onChange={(e) => set(i, { key: e.currentTarget.value })} flex={1} maxLength={keyLimit} spellCheck={false} />
          <TextInput aria-label={`${t('ui.value')} ${i + 1}`} placeholder={t('ui.value')} value={p.value} onChange={(e) => set(i, { value: e.currentTarget.value })} flex={1.4} maxLength={valueLimit} spellCheck={false} />
          <ActionIcon variant="subtle" color="gray" onClick={() => onChange(pairs.filter((_, j) => j !== i))} aria-label={`${t('action.remove')} ${p.key || i + 1}`}>
            <IconX size={16} />
          </ActionIcon>
        </Group>
      ))}
      <div>
        <Button size="xs" variant="default" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => onChange([...pairs, { key: '', value: '' }])} disabled={pairs.length >= max}>
          {t('action.add')}
        </Button>
      </div>
    </Stack>
  );
}
