import { Anchor, Autocomplete, Button, Collapse, Grid, Group, NativeSelect, Stack, Text, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconChevronDown, IconChevronRight, IconPlayerPlay } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { Page } from '../../ui/Page';
import { Problem } from '../../ui/Problem';
import { usersQuery } from '../data';
import { useBuckets } from '../parts/buckets';
import { readDocument } from '../parts/documents';
import { Mono, Part } from '../parts/Facts';
import { Outcome } from '../parts/Outcome';
import { useSegment } from '../parts/place';
import { PolicyEditor } from '../parts/PolicyEditor';
import { State } from '../parts/State';
import { actions } from '../policies/actions';
import { format } from '../policies/templates';
import type { Tried, Verdict } from '../types';
import { partOf, readContext } from './question';

const mono = { input: { fontFamily: 'var(--mantine-font-family-monospace)' } };

type BucketPolicy = 'stored' | 'none' | 'given';

// A bucket policy to begin with.
const publicRead = (bucket: string) =>
  format({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: ['s3:GetObject'], Resource: [`arn:aws:s3:::${bucket}/*`] }] });

/** Asks "may X do Y on Z, and why". Nothing is done. */
export default function SimulatorPage() {
  const t = useT();
  const { may, login } = useSession();
  const users = useQuery({ ...usersQuery, enabled: may('admin:ListUsers') });
  const buckets = useBuckets();
  const asked = { principal: useSegment(1), action: useSegment(2), resource: useSegment(3) };
  const [principal, setPrincipal] = useState(asked.principal === '' ? login.qualifiedName : partOf(asked.principal));
  const [action, setAction] = useState(partOf(asked.action) || 's3:GetObject');
  const [resource, setResource] = useState(partOf(asked.resource));
  const [more, setMore] = useState(false);
  const [context, setContext] = useState('');
  const [mode, setMode] = useState<BucketPolicy>('stored');
  const [document, setDocument] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [answer, setAnswer] = useState<{ verdict: Verdict; principal: string; action: string; resource: string }>();

  const ask = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const conditions = readContext(context);
      if (!conditions) throw new Error(t('admin.sim.context.bad'));
      const body = {
        principal: principal.trim(), action: action.trim(), resource: resource.trim(), trace: true,
        ...(Object.keys(conditions).length ? { context: conditions } : {}),
        ...(mode === 'none' ? { bucketPolicy: null } : mode === 'given' ? { bucketPolicy: readDocument(document, (reason) => t('ui.json.bad', { reason })) } : {}),
      };
      setAnswer({ verdict: await adminSend<Verdict>('POST', ['simulate'], body), principal: body.principal, action: body.action, resource: body.resource });
    } catch (e) {
      setAnswer(undefined);
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (asked.principal && asked.action) void ask();
    // Only the question that came with the address is asked by itself.
  }, []);

  return (
    <Page title={t('admin.sim')} about={t('admin.sim.about')}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void ask();
        }}
      >
        <Stack>
          <Grid gap="sm">
            <Grid.Col span={{ base: 12, sm: 4 }}>
              <Autocomplete label={t('admin.sim.who')} description={t('admin.sim.who.hint')} value={principal} onChange={setPrincipal} data={[...new Set([login.qualifiedName, ...(users.data ?? []).map((u) => u.name)])]} limit={50} spellCheck={false} />
            </Grid.Col>
            <Grid.Col span={{ base: 12, sm: 4 }}>
              <Autocomplete label={t('admin.sim.what')} description={t('admin.sim.what.hint')} value={action} onChange={setAction} data={actions} limit={40} required withAsterisk={false} spellCheck={false} />
            </Grid.Col>
            <Grid.Col span={{ base: 12, sm: 4 }}>
              <Autocomplete label={t('admin.sim.where')} description={t('admin.sim.where.hint')} value={resource} onChange={setResource} data={buckets()} limit={40} spellCheck={false} />
            </Grid.Col>
          </Grid>
          <div>
            <Anchor component="button" type="button" size="md" onClick={() => setMore(!more)} aria-expanded={more}>
              <Group gap={4}>
                {more ? <IconChevronDown size={15} aria-hidden /> : <IconChevronRight size={15} aria-hidden />}
                {t('admin.sim.more')}
              </Group>
            </Anchor>
            <Collapse expanded={more}>
              <Stack mt="xs">
                <Textarea label={t('admin.sim.context')} description={t('admin.sim.context.hint')} placeholder="aws:SourceIp = 192.0.2.7" value={context} onChange={(e) => setContext(e.currentTarget.value)} autosize minRows={2} maxRows={8} spellCheck={false} styles={mono} />
                <NativeSelect
                  label={t('admin.sim.bucketPolicy')}
                  value={mode}
                  onChange={(e) => {
                    setMode(e.currentTarget.value as BucketPolicy);
                    if (document === '') setDocument(publicRead(resource.split('/')[0] || 'BUCKET'));
                  }}
                  maw={320}
                  data={[
                    { value: 'stored', label: t('admin.sim.bucketPolicy.stored') },
                    { value: 'none', label: t('admin.sim.bucketPolicy.none') },
                    { value: 'given', label: t('admin.sim.bucketPolicy.given') },
                  ]}
                />
                {mode === 'given' && <PolicyEditor kind="bucket" value={document} onChange={setDocument} label={t('admin.sim.bucketPolicy')} minHeight={140} />}
              </Stack>
            </Collapse>
          </div>
          <Group>
            <Button type="submit" loading={busy} leftSection={<IconPlayerPlay size={16} aria-hidden />}>
              {t('admin.sim.ask')}
            </Button>
          </Group>
          {error !== undefined && <Problem error={error} />}
        </Stack>
      </form>
      {answer && <Answer {...answer} />}
    </Page>
  );
}

function Answer({ verdict, principal, action, resource }: { verdict: Verdict; principal: string; action: string; resource: string }) {
  const t = useT();
  const params = { who: principal || t('admin.anonymous'), action, resource: resource || '–' };
  return (
    <Stack mt="xl">
      <Outcome good={verdict.allowed} title={verdict.allowed ? t('admin.sim.yes', params) : t('admin.sim.no', params)}>
        <Text>{reason(verdict, t)}</Text>
        {verdict.bucketPolicy !== 'none' && <Text c="dimmed" size="sm">{verdict.bucketPolicy === 'given' ? t('admin.sim.with.given') : t('admin.sim.with.stored')}</Text>}
      </Outcome>
      {verdict.trace && verdict.trace.length > 0 && (
        <Part title={t('admin.sim.trace')} about={t('admin.sim.trace.about')}>
          <Trace steps={verdict.trace} />
        </Part>
      )}
    </Stack>
  );
}

/** Why it was decided so, in a sentence. */
function reason(v: Verdict, t: ReturnType<typeof useT>): string {
  if (!v.statement) return v.allowed ? t('admin.sim.why.root') : t('admin.sim.why.nothing');
  if (v.allowed) return t('admin.sim.why.allow', { statement: v.statement });
  return v.explicit ? t('admin.sim.why.deny', { statement: v.statement }) : t('admin.sim.why.other', { statement: v.statement });
}

function Trace({ steps }: { steps: Tried[] }) {
  const t = useT();
  const miss = (s: Tried) => {
    if (s.matched) return '–';
    const key = s.key ? ` ${s.operator ?? ''} ${s.key}` : '';
    return `${s.failed ?? ''}${key}${s.absent ? ` (${t('admin.sim.absent')})` : ''}`;
  };
  const rows = steps.map((s, i) => ({ ...s, i }));
  return (
    <DataTable
      label={t('admin.sim.trace')}
      rows={rows}
      rowKey={(s) => String(s.i)}
      columns={[
        { id: 'matched', title: t('admin.sim.matched'), width: 120, cell: (s) => <State kind={!s.matched ? 'off' : s.effect === 'Allow' ? 'good' : 'bad'}>{s.matched ? t('ui.yes') : t('ui.no')}</State>, sort: (s) => (s.matched ? 0 : 1) },
        { id: 'effect', title: t('admin.sim.effect'), cell: (s) => (s.effect === 'Allow' ? t('admin.sim.effect.allow') : t('admin.sim.effect.deny')), sort: (s) => s.effect },
        { id: 'statement', title: t('admin.sim.statement'), cell: (s) => <Mono wrap>{s.statement}</Mono>, sort: (s) => s.statement },
        { id: 'of', title: t('admin.sim.of'), from: 'sm', cell: (s) => s.of, sort: (s) => s.of },
        { id: 'miss', title: t('admin.sim.miss'), from: 'xs', cell: (s) => <Mono wrap>{miss(s)}</Mono> },
      ]}
    />
  );
}
