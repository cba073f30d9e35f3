import { Center, Group, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** Says why there is nothing to see, and offers what to do. */
export function EmptyState({ icon: Shape, title, text, children }: { icon: Icon; title: string; text?: string; children?: ReactNode }) {
  return (
    <Center py={64} px="md">
      <Stack align="center" gap="sm" maw={440}>
        <ThemeIcon size={56} radius="xl" variant="light" color="gray" aria-hidden>
          <Shape size={28} stroke={1.5} />
        </ThemeIcon>
        <Title order={2} ta="center">
          {title}
        </Title>
        {text && (
          <Text c="dimmed" ta="center" size="md">
            {text}
          </Text>
        )}
        {children && <Group mt="xs">{children}</Group>}
      </Stack>
    </Center>
  );
}
