import {
  Avatar, Button, Divider, Group, Input, NativeSelect, Popover, SegmentedControl, Stack, Text, UnstyledButton, useMantineColorScheme, VisuallyHidden, type MantineColorScheme,
} from '@mantine/core';
import { IconChevronDown, IconDeviceDesktop, IconLogout, IconMoon, IconSun } from '@tabler/icons-react';
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
    <Popover width={264} position="bottom-end" shadow="md" trapFocus>
      <Popover.Target>
        <UnstyledButton px={6} py={4} style={{ borderRadius: 8 }}>
          <Group gap={8} wrap="nowrap">
            <Avatar size={28} radius="xl" color="indigo" variant="filled" aria-hidden>
              {login.user.slice(0, 1).toUpperCase()}
            </Avatar>
            <Text size="md" truncate maw={180} visibleFrom="xs">
              {login.user}
            </Text>
            <VisuallyHidden>{t('user.menu')}</VisuallyHidden>
            <IconChevronDown size={15} aria-hidden />
          </Group>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown p="sm" aria-label={t('user.menu')}>
        <Stack gap="sm">
          <div>
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
          </div>
          <Divider color="var(--app-line)" />
          <Theme />
          <NativeSelect
            label={t('user.language')}
            value={language}
            onChange={(e) => setLanguage(e.currentTarget.value as Language)}
            data={(Object.keys(languages) as Language[]).map((l) => ({ value: l, label: languages[l] }))}
          />
          <Divider color="var(--app-line)" />
          <Button variant="default" leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void logout().catch(report)}>
            {t('user.logout')}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
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
    <Input.Wrapper label={t('user.theme')} labelElement="div">
    <SegmentedControl
      fullWidth
      size="xs"
      aria-label={t('user.theme')}
      value={colorScheme}
      onChange={(v) => setColorScheme(v as MantineColorScheme)}
      data={[
        item('light', t('user.theme.light'), <IconSun size={15} aria-hidden />),
        item('dark', t('user.theme.dark'), <IconMoon size={15} aria-hidden />),
        item('auto', t('user.theme.auto'), <IconDeviceDesktop size={15} aria-hidden />),
      ]}
    />
    </Input.Wrapper>
  );
}
