import { Alert, List, Stack, Text } from '@mantine/core';
import { IconUserQuestion } from '@tabler/icons-react';
import type { Refused } from '../api/session';
import { useT } from '../i18n';

/** Tells somebody whom the provider knows why that is not enough here. */
export function RefusedNotice({ refused }: { refused: Refused }) {
  const t = useT();
  const found = refused.found ?? [];
  return (
    <Alert color="yellow" icon={<IconUserQuestion aria-hidden />} title={t('login.refused.title')} role="alert">
      <Stack gap={6}>
        <Text>{refused.message}</Text>
        {refused.claim && (
          <>
            <Text>{t('login.refused.claim', { claim: refused.claim })}</Text>
            {found.length === 0 ? (
              <Text>{t('login.refused.nothing')}</Text>
            ) : (
              <>
                <Text>{t('login.refused.found', { found: '' })}</Text>
                <List size="md">
                  {found.slice(0, 20).map((f) => (
                    <List.Item key={f} style={{ overflowWrap: 'anywhere' }}>
                      {f}
                    </List.Item>
                  ))}
                </List>
              </>
            )}
            <Text>{t('login.refused.todo')}</Text>
          </>
        )}
      </Stack>
    </Alert>
  );
}
