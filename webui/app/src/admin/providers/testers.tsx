import { Button, Code, Group, NativeSelect, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { adminSend } from '../../api/admin';
import { useT } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { When } from '../../ui/When';
import { Facts, Mono, Part } from '../parts/Facts';
import { Failed } from '../parts/Loaded';
import { Names } from '../parts/NameSet';
import { Outcome } from '../parts/Outcome';
import { State } from '../parts/State';
import { format } from '../policies/templates';
import type { DirectoryTest, Provider, Rule, Step, TokenTest } from '../types';

const mono = { input: { fontFamily: 'var(--mantine-font-family-monospace)' } };

// useTry keeps what a trial has led to.
function useTry<T>(ask: () => Promise<T>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [answer, setAnswer] = useState<T>();
  const go = async () => {
    setBusy(true);
    setError(undefined);
    setAnswer(undefined);
    try {
      setAnswer(await ask());
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, answer, go };
}

function Form({ go, busy, children }: { go: () => Promise<void>; busy: boolean; children: ReactNode }) {
  const t = useT();
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        void go();
      }}
    >
      <Stack maw={720}>
        {children}
        <Group>
          <Button type="submit" loading={busy}>
            {t('admin.test.try')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Tries a token as a login would, and shows each step. */
export function TokenTester({ providers }: { providers: Provider[] }) {
  const t = useT();
  const [token, setToken] = useState('');
  const [provider, setProvider] = useState('');
  const [roleArn, setRoleArn] = useState('');
  const { busy, error, answer, go } = useTry(() =>
    adminSend<TokenTest>('POST', ['openid', 'test'], { token: token.trim(), ...(provider ? { provider } : {}), ...(roleArn.trim() ? { roleArn: roleArn.trim() } : {}) }),
  );
  return (
    <Part title={t('admin.test.token')} about={t('admin.test.token.about')}>
      <Form go={go} busy={busy}>
        <Textarea label={t('admin.test.token.label')} description={t('admin.test.token.hint')} value={token} onChange={(e) => setToken(e.currentTarget.value)} required rows={4} styles={mono} spellCheck={false} autoComplete="off" />
        <Group grow align="flex-end">
          {providers.length > 1 && (
            <NativeSelect label={t('admin.provider')} value={provider} onChange={(e) => setProvider(e.currentTarget.value)} data={[{ value: '', label: t('admin.test.byIssuer') }, ...providers.map((p) => ({ value: p.name, label: p.title || p.name }))]} />
          )}
          <TextInput label={t('admin.test.role')} value={roleArn} onChange={(e) => setRoleArn(e.currentTarget.value)} placeholder="arn:aws:iam::…" spellCheck={false} />
        </Group>
      </Form>
      <Stack mt="lg">
        {error !== undefined && <Failed error={error} />}
        {answer && <TokenAnswer of={answer} />}
      </Stack>
    </Part>
  );
}

function TokenAnswer({ of: a }: { of: TokenTest }) {
  const t = useT();
  return (
    <>
      <Outcome good={a.allowed} title={a.allowed ? t('admin.test.allowed') : t('admin.test.refused')}>{a.error ? a.error.reason || a.error.message : ''}</Outcome>
      <Steps steps={a.steps} />
      {a.rules.length > 0 && <Rules rules={a.rules} />}
      <Facts
        rows={[
          [t('admin.test.provider'), a.provider],
          [t('admin.test.verified'), a.verified ? t('ui.yes') : t('ui.no')],
          [t('admin.qualified'), a.user ? <Mono wrap>{a.user}</Mono> : undefined],
          [t('admin.policies'), <Names names={a.policies} limit={50} />],
          [t('admin.groups'), <Names names={a.groups} limit={50} />],
          [t('admin.ends'), a.expires ? <When value={a.expires} /> : undefined],
          [t('admin.test.answer'), a.error ? `${a.error.code}: ${a.error.message}` : undefined],
        ]}
      />
      {Object.keys(a.claims).length > 0 && (
        <div>
          <Text fw={600} mb={6}>
            {t('admin.session.claims')}
          </Text>
          <Code block>{format(a.claims)}</Code>
        </div>
      )}
    </>
  );
}

function Steps({ steps }: { steps: Step[] }) {
  const t = useT();
  return (
    <DataTable
      label={t('admin.test.steps')}
      rows={steps.map((s, i) => ({ ...s, i }))}
      rowKey={(s) => String(s.i)}
      columns={[
        { id: 'step', title: t('admin.test.step'), width: 150, cell: (s) => <State kind={s.failed ? 'bad' : 'good'}>{s.step}</State> },
        { id: 'result', title: t('admin.test.result'), cell: (s) => <span style={{ overflowWrap: 'anywhere' }}>{s.result}</span> },
      ]}
    />
  );
}

function Rules({ rules }: { rules: Rule[] }) {
  const t = useT();
  return (
    <DataTable
      label={t('admin.test.rules')}
      rows={rules.map((r, i) => ({ ...r, i }))}
      rowKey={(r) => String(r.i)}
      columns={[
        { id: 'rule', title: t('admin.test.rule'), width: 150, cell: (r) => <State kind={r.found ? 'good' : 'off'}>{r.rule}</State> },
        { id: 'claim', title: t('admin.test.claim'), from: 'xs', cell: (r) => (r.claim ? <Mono wrap>{r.claim}</Mono> : '–') },
        { id: 'values', title: t('admin.test.values'), from: 'sm', cell: (r) => <Names names={r.values} limit={8} /> },
        { id: 'unknown', title: t('admin.test.unknown'), from: 'md', cell: (r) => <Names names={r.unknown} limit={8} /> },
        { id: 'result', title: t('admin.test.result'), cell: (r) => r.result },
      ]}
    />
  );
}

/** Looks a person of the directory up as a login would, without a password. */
export function DirectoryTester() {
  const t = useT();
  const [name, setName] = useState('');
  const { busy, error, answer, go } = useTry(() => adminSend<DirectoryTest>('POST', ['ldap', 'test'], { name: name.trim() }));
  return (
    <Part title={t('admin.test.ldap')} about={t('admin.test.ldap.about')}>
      <Form go={go} busy={busy}>
        <TextInput label={t('admin.test.ldap.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} autoComplete="off" spellCheck={false} />
      </Form>
      <Stack mt="lg">
        {error !== undefined && <Failed error={error} />}
        {answer && (
          <>
            <Outcome good={answer.allowed} title={answer.allowed ? t('admin.test.allowed') : t('admin.test.refused')}>{answer.user}</Outcome>
            <Steps steps={answer.steps} />
          </>
        )}
      </Stack>
    </Part>
  );
}
