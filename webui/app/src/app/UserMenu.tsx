import { Avatar, Box, Group, Menu, SegmentedControl, Text, UnstyledButton, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { IconCheck, IconChevronDown, IconDeviceDesktop, IconLogout, IconMoon, IconSun } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { languages, useTexts, type Language, type Translate } from '../i18n';
import { useReport } from '../ui/report';
import { useFormat } from '../ui/format';
import { useSession } from './session';
import type { Login } from '../api/session';

/** Who is logged in, appearance, language, logout. */
export function UserMenu() {
  const { t, language, setLanguage } = useTexts();
  const { login, logout } = useSession();
  const report = useReport();
  const format = useFormat();
  return (
    <Menu width={264} position="bottom-end" keepMounted={false}>
      <Menu.Target>
        <UnstyledButton aria-label={t('user.menu', { user: login.user })} px={6} py={4} style={{ borderRadius: 8 }}>
          <Group gap={8} wrap="nowrap">
            <Avatar size={28} radius="xl" color="indigo" variant="filled" aria-hidden>
              {login.user.slice(0, 1).toUpperCase()}
            </Avatar>
            <Text size="md" truncate maw={180} visibleFrom="xs">
              {login.user}
            </Text>
            <IconChevronDown size={15} aria-hidden />
          </Group>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Box px="sm" py="xs">
          <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
            {login.user}
          </Text>
          <Text size="sm" c="dimmed">
            {kind(login, t)}
          </Text>
          {login.expires && (
            <Text size="sm" c="dimmed">
              {t('user.expires', { time: format.time(login.expires) })}
            </Text>
          )}
        </Box>
        <Menu.Divider />
        <Menu.Label id="theme-label">{t('user.theme')}</Menu.Label>
        <Theme />
        <Menu.Label>{t('user.language')}</Menu.Label>
        {(Object.keys(languages) as Language[]).map((l) => (
          <Menu.Item
            key={l}
            lang={l}
            onClick={() => setLanguage(l)}
            role="menuitemradio"
            aria-checked={l === language}
            rightSection={l === language ? <IconCheck size={16} aria-hidden /> : null}
          >
            {languages[l]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void logout().catch(report)}>
          {t('user.logout')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function kind(login: Login, t: Translate): string {
  switch (login.kind) {
    case 'root':
      return t('user.kind.root');
    case 'local':
      return t('user.kind.local');
    case 'ldap':
      return t('user.kind.ldap');
    case 'openid':
      return t('user.kind.openid', { provider: login.provider ?? 'OpenID' });
    default:
      return login.kind;
  }
}

/** Light, dark, or as the system. */
export function Theme() {
  const { t } = useTexts();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const item = (value: MantineColorScheme, label: string, icon: ReactNode) => ({
    value,
    label: (
      <Group gap={6} justify="center" wrap="nowrap" title={label}>
        {icon}
        <Text size="xs" component="span">
          {label}
        </Text>
      </Group>
    ),
  });
  return (
    <SegmentedControl
      fullWidth
      size="xs"
      mx="sm"
      mb="xs"
      aria-label={t('user.theme')}
      value={colorScheme}
      onChange={(v) => setColorScheme(v as MantineColorScheme)}
      data={[
        item('light', t('user.theme.light'), <IconSun size={15} aria-hidden />),
        item('dark', t('user.theme.dark'), <IconMoon size={15} aria-hidden />),
        item('auto', t('user.theme.auto'), <IconDeviceDesktop size={15} aria-hidden />),
      ]}
    />
  );
}
