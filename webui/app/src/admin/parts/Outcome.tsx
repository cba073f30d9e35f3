import { Group, Paper, Text } from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** The answer to a question: yes or no, and why. */
export function Outcome({ good, title, children }: { good: boolean; title: string; children?: ReactNode }) {
  const colour = good ? 'var(--mantine-color-teal-7)' : 'var(--mantine-color-red-7)';
  const Shape = good ? IconCircleCheck : IconCircleX;
  return (
    <Paper role="status" p="md" style={{ border: '1px solid var(--app-line)', borderInlineStart: `4px solid ${colour}` }}>
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <Shape size={22} color={colour} aria-hidden style={{ flex: 'none' }} />
        <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
          <Text fw={600}>{title}</Text>
          {children}
        </div>
      </Group>
    </Paper>
  );
}
