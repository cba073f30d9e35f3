import { Alert, List, Stack, Text } from '@mantine/core';
import { IconUserQuestion } from '@tabler/icons-react';
import type { Refused } from '../api/session';
import { useT } from '../i18n';

/** Tells somebody whom the provider knows why that is not enough here. */
export function RefusedNotice({ refused }: { refused: Refused }) {
  const t = useT();
  const values = refused.values ?? [];
  const found = refused.found ?? [];
  return (
    <Alert color="yellow" icon={<IconUserQuestion aria-hidden />} title={t('login.refused.title')} role="alert">
      <Stack gap={6}>
        <Text>{refused.message}</Text>
        {refused.claim && (
          <>
            <Text>{t('login.refused.claim', { claim: refused.claim })}</Text>
            <Names title={values.length === 0 ? t('login.refused.nothing') : t('login.refused.values')} names={values} />
            {found.length > 0 && <Names title={t('login.refused.found')} names={found} />}
            <Text>{t('login.refused.todo')}</Text>
          </>
        )}
      </Stack>
    </Alert>
  );
}

function Names({ title, names }: { title: string; names: string[] }) {
  return (
    <div>
      <Text>{title}</Text>
      <List size="md">
        {names.slice(0, 20).map((n) => (
          <List.Item key={n} style={{ overflowWrap: 'anywhere' }}>
            {n}
          </List.Item>
        ))}
      </List>
    </div>
  );
}
