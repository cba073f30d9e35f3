import { Box, Group, Stack, Text, Title } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';

/** A page with its title, one line about it, and its actions. `wide` uses the whole width. */
export function Page({ title, about, actions, wide, children }: { title: string; about?: ReactNode; actions?: ReactNode; wide?: boolean; children: ReactNode }) {
  usePageTitle(title);
  return (
    <Box p={{ base: 'md', sm: 'xl' }} maw={wide ? undefined : 1160}>
      <Group justify="space-between" align="flex-start" mb="lg" gap="sm">
        <Stack gap={2} miw={0}>
          <Title order={1} style={{ overflowWrap: 'anywhere' }}>
            {title}
          </Title>
          {about && (
            <Text c="dimmed" size="md" component="div">
              {about}
            </Text>
          )}
        </Stack>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Box>
  );
}

/** Names the page in the browser's title. */
export function usePageTitle(title: string) {
  useEffect(() => {
    document.title = title ? `${title} · objsrv` : 'objsrv';
  }, [title]);
}
