import { AppShell, Burger, Center, Group, Loader, ScrollArea, Text, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Suspense, useEffect } from 'react';
import { Link, Redirect, Route as Place, Switch, useLocation } from 'wouter';
import logo from '../icon.svg';
import { useT, type Key } from '../i18n';
import { TransferPanel } from '../files/transfer/TransferPanel';
import { NotFound } from '../ui/NotFound';
import { CrashBoundary } from './CrashBoundary';
import type { Section } from './route';
import { routes } from './routes';
import { useSession } from './session';
import { UserMenu } from './UserMenu';

const sections: { id: Section; label: Key }[] = [
  { id: 'files', label: 'nav.files' },
  { id: 'mine', label: 'nav.mine' },
  { id: 'access', label: 'nav.access' },
  { id: 'server', label: 'nav.server' },
];

/** Frame of every page: header, navigation, content. */
export function Shell() {
  const t = useT();
  const [open, { toggle, close }] = useDisclosure(false);
  const [location] = useLocation();
  useEffect(close, [location, close]);
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 216, breakpoint: 'sm', collapsed: { mobile: !open } }} padding={0}>
      <a className="skip" href="#content" onClick={skip}>
        {t('app.skip')}
      </a>
      <AppShell.Header bg="var(--app-side)" style={{ borderColor: 'var(--app-line)' }}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('nav.open')} aria-expanded={open} />
            <Group gap={9} wrap="nowrap" renderRoot={(props) => <Link href="/buckets" {...props} style={{ textDecoration: 'none', color: 'inherit' }} />}>
              <img src={logo} width={26} height={26} alt="" />
              <Text fw={650} size="lg">
                {t('app.name')}
              </Text>
            </Group>
          </Group>
          <UserMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar bg="var(--app-side)" style={{ borderColor: 'var(--app-line)' }} aria-label={t('nav.label')}>
        <Navigation />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} style={{ outline: 'none', height: '100dvh' }}>
        <CrashBoundary key={location.split('/')[1]}>
          <Suspense fallback={<Waiting />}>
            <Pages />
          </Suspense>
        </CrashBoundary>
      </AppShell.Main>
      <TransferPanel />
    </AppShell>
  );
}

// The address is taken by the pages, so the link moves the focus by itself.
function skip(e: React.MouseEvent) {
  e.preventDefault();
  document.getElementById('content')?.focus();
}

function Navigation() {
  const t = useT();
  const { may, server, login } = useSession();
  const [location] = useLocation();
  return (
    <AppShell.Section grow component={ScrollArea} p="xs" pt="sm">
      {sections.map((s) => {
        const list = routes.filter((r) => r.nav?.section === s.id && (!r.nav.needs || r.nav.needs.some(may)) && (r.nav.when?.(server, login) ?? true));
        if (list.length === 0) return null;
        return (
          <div key={s.id} role="group" aria-label={t(s.label)}>
            <Text size="xs" fw={600} c="dimmed" px={10} pt="sm" pb={4}>
              {t(s.label)}
            </Text>
            {list.map((r) => {
              const Icon = r.nav!.icon;
              const base = r.path.split('/:')[0]!;
              const here = location === base || location.startsWith(base + '/');
              return (
                <Link key={r.path} href={base} className="nav-link" aria-current={here ? 'page' : undefined}>
                  <Icon size={18} stroke={1.7} aria-hidden />
                  {t(r.nav!.label)}
                </Link>
              );
            })}
          </div>
        );
      })}
    </AppShell.Section>
  );
}

function Pages() {
  return (
    <Switch>
      <Place path="/">
        <Redirect to="/buckets" replace />
      </Place>
      {routes.map((r) => (
        <Place key={r.path} path={r.path} component={r.page} />
      ))}
      <Place>
        <NotFound />
      </Place>
    </Switch>
  );
}

function Waiting() {
  const t = useT();
  return (
    <Center h="50vh">
      <Loader aria-hidden />
      <VisuallyHidden role="status">{t('ui.loading')}</VisuallyHidden>
    </Center>
  );
}
