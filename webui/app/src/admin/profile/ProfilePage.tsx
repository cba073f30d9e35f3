import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconKey, IconLogout } from '@tabler/icons-react';
import { useState } from 'react';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { sessionsQuery, whoamiQuery } from '../data';
import { useAct } from '../parts/act';
import { Facts, Frame, Part } from '../parts/Facts';
import { Loaded } from '../parts/Loaded';
import { Names } from '../parts/NameSet';
import { pathTo } from '../parts/place';
import { providerText, SessionTable } from '../sessions/SessionTable';
import type { Session, WhoAmI } from '../types';
import { Copied, SecretForm } from '../users/UserPage';

/** Whoever is logged in: rights, what the provider says, sessions. */
export default function ProfilePage() {
  const t = useT();
  const { login } = useSession();
  const me = useQuery(whoamiQuery);
  const sessions = useQuery(sessionsQuery('own'));
  const [asking, setAsking] = useState(false);
  const local = login.kind === 'local';
  const current = sessions.data?.find((s) => s.accessKey === login.accessKey);
  return (
    <Page
      title={login.user}
      about={t('admin.profile.about')}
      actions={
        local &&
        me.data?.restricted !== true && (
          <Button variant="default" leftSection={<IconKey size={16} aria-hidden />} onClick={() => setAsking(true)}>
            {t('admin.profile.password')}
          </Button>
        )
      }
    >
      <Loaded query={me}>{(who) => <Identity who={who} session={current} />}</Loaded>
      <OwnSessions />
      {asking && <SecretForm own user={login.qualifiedName} onClose={() => setAsking(false)} />}
    </Page>
  );
}

function Identity({ who, session }: { who: WhoAmI; session: Session | undefined }) {
  const t = useT();
  const { login, may } = useSession();
  const claims = Object.entries(session?.grants?.claims ?? {}).sort();
  return (
    <>
      <Part title={t('admin.overview')}>
        <Facts
          rows={[
            [t('admin.provider'), session ? providerText(session, t) : undefined],
            [t('admin.qualified'), <Copied value={who.name} />],
            [t('admin.arn'), <Copied value={who.arn} />],
            [t('admin.policies'), who.root ? t('admin.profile.root') : who.accountRoot ? t('admin.profile.accountRoot') : who.policies.length === 0 ? t('admin.profile.noPolicies') : <Names names={who.policies} limit={50} {...(may('admin:GetPolicy') ? { to: policyPath } : {})} />],
            [t('admin.groups'), who.root || who.accountRoot ? undefined : <Names names={who.groups} limit={50} {...(may('admin:GetGroup') ? { to: groupPath } : {})} />],
            [t('admin.profile.until'), login.expires ? <When value={login.expires} /> : undefined],
          ]}
        />
      </Part>
      {claims.length > 0 && (
        <Part title={t('admin.profile.claims')} about={t('admin.profile.claims.about')}>
          <Facts rows={claims.map(([k, v]) => [k, v.join(', ')])} />
        </Part>
      )}
    </>
  );
}

const policyPath = (name: string) => pathTo('policies', 'name', name);
const groupPath = (name: string) => pathTo('groups', name);

function OwnSessions() {
  const t = useT();
  const { login } = useSession();
  const { act, busy } = useAct();
  const sessions = useQuery({ ...sessionsQuery('own'), refetchInterval: 30_000 });
  const others = (sessions.data ?? []).filter((s) => s.accessKey !== login.accessKey);
  const endOthers = async () => {
    for (const s of others) await adminSend('DELETE', ['sessions', s.accessKey]);
  };
  return (
    <Part
      title={t('admin.sessions')}
      about={t('admin.profile.sessions.about')}
      actions={
        others.length > 0 && (
          <Button size="xs" variant="default" loading={busy} leftSection={<IconLogout size={15} aria-hidden />} onClick={() => void act(endOthers, t('admin.sessions.ended'))}>
            {t('admin.sessions.endOthers')}
          </Button>
        )
      }
    >
      <Loaded query={sessions} height={80}>
        {(list) => <SessionTable sessions={list} mayEnd empty={<Frame>{t('admin.sessions.none')}</Frame>} />}
      </Loaded>
    </Part>
  );
}
