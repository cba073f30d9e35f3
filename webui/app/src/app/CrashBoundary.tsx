import { Button, Center, Code, Stack, Text, Title } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useT } from '../i18n';

/** Shows a page in place of one whose drawing failed. */
export class CrashBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    return this.state.error ? <Crash error={this.state.error} /> : this.props.children;
  }
}

function Crash({ error }: { error: Error }) {
  const t = useT();
  return (
    <Center mih="60vh" p="md">
      <Stack maw={480} align="flex-start" role="alert">
        <Title order={1}>{t('error.crash')}</Title>
        <Text>{t('error.crash.text')}</Text>
        <Code block>{error.message}</Code>
        <Button onClick={() => location.reload()}>{t('error.reload')}</Button>
      </Stack>
    </Center>
  );
}
