import { Anchor, Button, PasswordInput, Stack, Textarea, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { loginLDAP, loginLocal } from '../api/session';
import { sessionLost } from '../app/query';
import { useT } from '../i18n';
import { Problem } from '../ui/Problem';

// useLogin runs one attempt at a time; when it succeeds the session is asked for anew, which shows the console.
function useLogin(attempt: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    attempt()
      .then(sessionLost, setError)
      .finally(() => setBusy(false));
  };
  return { busy, error, submit };
}

/** Logs in a user of this server, or whoever has keys. */
export function LocalForm({ secondary }: { secondary: boolean }) {
  const t = useT();
  const [accessKey, setAccessKey] = useState('');
  const [secretKey, setSecretKey] = useState('');
  const [withToken, setWithToken] = useState(false);
  const [token, setToken] = useState('');
  const { busy, error, submit } = useLogin(() => loginLocal(accessKey.trim(), secretKey, withToken ? token.trim() : undefined));
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label={t('login.accessKey')} value={accessKey} onChange={(e) => setAccessKey(e.currentTarget.value)} name="username" autoComplete="username" autoCapitalize="off" spellCheck={false} required withAsterisk={false} autoFocus={!secondary} />
        <PasswordInput label={t('login.secretKey')} value={secretKey} onChange={(e) => setSecretKey(e.currentTarget.value)} name="password" autoComplete="current-password" required withAsterisk={false} visibilityToggleButtonProps={{ 'aria-label': t('action.show.secret') }} />
        {withToken && (
          <Textarea label={t('login.sessionToken')} description={t('login.sessionToken.hint')} value={token} onChange={(e) => setToken(e.currentTarget.value)} rows={3} ff="monospace" required withAsterisk={false} spellCheck={false} />
        )}
        {error !== undefined && <Problem error={error} />}
        <Button type="submit" fullWidth size="md" variant={secondary ? 'default' : 'filled'} loading={busy}>
          {t('login.submit')}
        </Button>
        <Anchor component="button" type="button" size="sm" onClick={() => setWithToken(!withToken)} ta="left">
          {withToken ? t('login.noToken') : t('login.useToken')}
        </Anchor>
      </Stack>
    </form>
  );
}

/** Logs in somebody of the directory. */
export function LDAPForm({ secondary }: { secondary: boolean }) {
  const t = useT();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const { busy, error, submit } = useLogin(() => loginLDAP(username.trim(), password));
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label={t('login.username')} value={username} onChange={(e) => setUsername(e.currentTarget.value)} name="username" autoComplete="username" autoCapitalize="off" spellCheck={false} required withAsterisk={false} autoFocus={!secondary} />
        <PasswordInput label={t('login.password')} value={password} onChange={(e) => setPassword(e.currentTarget.value)} name="password" autoComplete="current-password" required withAsterisk={false} visibilityToggleButtonProps={{ 'aria-label': t('action.show.secret') }} />
        {error !== undefined && <Problem error={error} />}
        <Button type="submit" fullWidth size="md" variant={secondary ? 'default' : 'filled'} loading={busy}>
          {t('login.submit')}
        </Button>
      </Stack>
    </form>
  );
}
