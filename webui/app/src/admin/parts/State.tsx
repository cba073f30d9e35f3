import { Group } from '@mantine/core';

const colours = { good: 'var(--mantine-color-teal-6)', bad: 'var(--mantine-color-red-6)', off: 'var(--mantine-color-gray-5)', soon: 'var(--mantine-color-yellow-6)' };

/** A state in words, with a dot of its colour. */
export function State({ kind, children }: { kind: keyof typeof colours; children: string }) {
  return (
    <Group gap={7} wrap="nowrap" component="span" display="inline-flex">
      <span style={{ width: 8, height: 8, borderRadius: 8, flex: 'none', background: colours[kind] }} aria-hidden />
      <span style={{ whiteSpace: 'nowrap' }}>{children}</span>
    </Group>
  );
}
