import { Center, Loader } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Router } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { useT } from '../i18n';
import { LoginPage } from '../login/LoginPage';
import { Problem } from '../ui/Problem';
import { SessionProvider, useSessionQuery } from './session';
import { Shell } from './Shell';

/** Chooses between login and the console. The place stays in the address, so a login leads back to it. */
export function App() {
  const t = useT();
  const { data, error, refetch } = useSessionQuery();
  const [before, setBefore] = useState<string>();
  const user = data?.login?.qualifiedName;
  useEffect(() => {
    if (user) setBefore(user);
  }, [user]);
  if (!data) {
    return <Center mih="100vh">{error ? <Problem error={error} retry={() => void refetch()} /> : <Loader role="status" aria-label={t('ui.loading')} />}</Center>;
  }
  return (
    <Router hook={useHashLocation}>
      {data.login ? (
        <SessionProvider key={data.login.qualifiedName} session={data} login={data.login}>
          <Shell />
        </SessionProvider>
      ) : (
        <LoginPage session={data} ended={before !== undefined} />
      )}
    </Router>
  );
}
