import { Alert, Anchor, Box, Button, Center, Divider, Group, Menu, Paper, Stack, Tabs, Text, Title } from '@mantine/core';
import { IconInfoCircle, IconLanguage, IconLogin2 } from '@tabler/icons-react';
import { useState } from 'react';
import type { Session } from '../api/session';
import { ssoURL } from '../api/session';
import { languages, useTexts, type Language } from '../i18n';
import logo from '../icon.svg';
import { usePageTitle } from '../ui/Page';
import { LDAPForm, LocalForm } from './forms';
import { RefusedNotice } from './RefusedNotice';

/** Every way in that this server has. `ended` says that a session was here before. */
export function LoginPage({ session, ended }: { session: Session; ended: boolean }) {
  const { t } = useTexts();
  usePageTitle(t('login.title'));
  const sso = session.providers ?? [];
  return (
    <Box bg="var(--app-side)" mih="100dvh">
      <Center mih="100dvh" p="md">
        <Stack w="100%" maw={400} gap="md" component="main">
          <Group gap={10} justify="center">
            <img src={logo} width={36} height={36} alt="" />
            <Text fw={650} fz={24}>
              {t('app.name')}
            </Text>
          </Group>
          {session.refused && <RefusedNotice refused={session.refused} />}
          {ended && !session.refused && (
            <Alert color="indigo" icon={<IconInfoCircle aria-hidden />} role="status">
              {t('login.again')}
            </Alert>
          )}
          <Paper p="lg" style={{ border: '1px solid var(--app-line)' }}>
            <Stack>
              <Title order={1}>{t('login.title')}</Title>
              {sso.map((p) => (
                <Button key={p.name} component="a" href={ssoURL(p.name, location.hash || '#/')} fullWidth size="md" leftSection={<IconLogin2 size={18} aria-hidden />}>
                  {t('login.with', { title: p.title || p.name })}
                </Button>
              ))}
              {sso.length > 0 && <Divider label={t('login.or')} labelPosition="center" />}
              <Forms ldap={session.ldap} sso={sso.length > 0} />
            </Stack>
          </Paper>
          <Group justify="space-between">
            <Languages />
            {session.server.version && (
              <Text size="xs" c="dimmed">
                {t('login.version', { version: session.server.version })}
              </Text>
            )}
          </Group>
        </Stack>
      </Center>
    </Box>
  );
}

function Forms({ ldap, sso }: { ldap: boolean; sso: boolean }) {
  const { t } = useTexts();
  const [tab, setTab] = useState<string | null>(ldap ? 'ldap' : 'local');
  if (!ldap) return <LocalForm secondary={sso} />;
  return (
    <Tabs value={tab} onChange={setTab} keepMounted={false}>
      <Tabs.List grow mb="md">
        <Tabs.Tab value="ldap">{t('login.ldap')}</Tabs.Tab>
        <Tabs.Tab value="local">{t('login.local')}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="ldap">
        <LDAPForm secondary={sso} />
      </Tabs.Panel>
      <Tabs.Panel value="local">
        <LocalForm secondary={sso} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Languages() {
  const { t, language, setLanguage } = useTexts();
  return (
    <Menu>
      <Menu.Target>
        <Anchor component="button" type="button" size="sm" aria-label={`${t('user.language')}: ${languages[language]}`}>
          <Group gap={5}>
            <IconLanguage size={16} aria-hidden />
            {languages[language]}
          </Group>
        </Anchor>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(languages) as Language[]).map((l) => (
          <Menu.Item key={l} lang={l} onClick={() => setLanguage(l)}>
            {languages[l]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
