import { useQuery } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, type ReactNode } from 'react';
import { getSession, logout, renew, type Login, type Session } from '../api/session';
import { queryClient, sessionKey } from './query';

interface Value {
  login: Login;
  server: Session['server'];
  /** Whether the user may do the action at all; for one resource the server decides. */
  may: (action: string) => boolean;
  /** Whether the server has the operation of S3. */
  has: (operation: string) => boolean;
  logout: () => Promise<void>;
}

const Context = createContext<Value | null>(null);

/** The session of the user; only below SessionProvider. */
export function useSession(): Value {
  const v = useContext(Context);
  if (!v) throw new Error('no SessionProvider');
  return v;
}

/** Whether the user may do the action at all; false where nobody is logged in. */
export const useMay = (action: string): boolean => useContext(Context)?.may(action) ?? false;

/** What the server says of login and user. */
export const useSessionQuery = () => useQuery({ queryKey: sessionKey, queryFn: ({ signal }) => getSession(signal), staleTime: 60_000, refetchOnWindowFocus: true });

/** Draws the children for a user who is logged in, and keeps the session alive while the provider agrees. */
export function SessionProvider({ session, login, children }: { session: Session; login: Login; children: ReactNode }) {
  useRenewal(login);
  const end = useCallback(async () => {
    const answer = await logout();
    // What the last user saw is nobody else's.
    queryClient.removeQueries({ predicate: (q) => q.queryKey[0] !== sessionKey[0] });
    if (answer?.redirect) location.assign(answer.redirect);
    else {
      location.hash = '#/';
      await queryClient.invalidateQueries({ queryKey: sessionKey });
    }
  }, []);
  const value = useMemo<Value>(
    () => ({ login, server: session.server, may: (action) => login.may?.[action] === true, has: (operation) => session.server.features?.[operation] === true, logout: end }),
    [login, session.server, end],
  );
  return <Context value={value}>{children}</Context>;
}

// useRenewal asks for another session when four fifths of this one are over. Where there is nothing to
// renew with, the server refuses and the session simply ends.
function useRenewal(login: Login) {
  const begun = useRef({ expires: '', at: 0 });
  useEffect(() => {
    if (!login.expires) return;
    const expires = login.expires;
    if (begun.current.expires !== expires) begun.current = { expires, at: Date.now() };
    const end = Date.parse(expires);
    const at = begun.current.at + (end - begun.current.at) * 0.8;
    // Longer waits than 2^31 ms fire at once in browsers.
    const wait = (t: number) => Math.min(Math.max(t - Date.now(), 1000), 2 ** 31 - 1);
    const early = login.renewable === false ? undefined : setTimeout(() => {
      renew().then(
        () => queryClient.invalidateQueries({ queryKey: sessionKey }),
        () => undefined,
      );
    }, wait(at));
    const late = setTimeout(() => void queryClient.invalidateQueries({ queryKey: sessionKey }), wait(end + 1000));
    return () => {
      clearTimeout(early);
      clearTimeout(late);
    };
  }, [login.expires, login.renewable]);
}
