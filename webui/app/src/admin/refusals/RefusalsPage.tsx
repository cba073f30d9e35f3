import { Box, Button, Group, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconRefresh, IconSearch, IconShieldCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { adminGet } from '../../api/admin';
import { useT, type Translate } from '../../i18n';
import { CopyButton } from '../../ui/CopyButton';
import { DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { refusalsQuery } from '../data';
import { Facts, Mono, Part } from '../parts/Facts';
import { Loaded } from '../parts/Loaded';
import classes from '../parts/parts.module.css';
import { pathTo, useSegment } from '../parts/place';
import { simulatorPath } from '../simulator/question';
import type { Refusal } from '../types';

/** What was refused lately, and why; with a request id in the address, that request alone. */
export default function RefusalsPage() {
  const id = useSegment(1);
  return id ? <OnePage id={id} /> : <ListPage />;
}

const target = (r: Refusal) => (r.bucket ? (r.key ? `${r.bucket}/${r.key}` : r.bucket) : '');

/** The name of a principal in its ARN. */
export const principalName = (arn: string) => arn.replace(/^arn:aws:(iam|sts)::[^:]*:/, '').replace(/^(user|assumed-role|federated-user)\//, '');

function why(r: Refusal, t: Translate): string {
  if (!r.statement) return t('admin.refusal.nothing');
  return r.explicit ? t('admin.refusal.deny', { statement: r.statement }) : r.statement;
}

function Search({ id = '' }: { id?: string }) {
  const t = useT();
  const [, go] = useLocation();
  const [text, setText] = useState(id);
  return (
    <form
      role="search"
      onSubmit={(e) => {
        e.preventDefault();
        if (text.trim()) go(pathTo('refusals', text.trim()));
      }}
    >
      <Group gap="xs" mb="lg" align="flex-end">
        <TextInput label={t('admin.refusal.id')} description={t('admin.refusal.id.hint')} value={text} onChange={(e) => setText(e.currentTarget.value)} w={{ base: '100%', xs: 380 }} leftSection={<IconSearch size={16} aria-hidden />} spellCheck={false} autoComplete="off" />
        <Button type="submit" variant="default">
          {t('admin.refusal.explain')}
        </Button>
      </Group>
    </form>
  );
}

function ListPage() {
  const t = useT();
  const refusals = useQuery({ ...refusalsQuery, refetchInterval: 15_000 });
  return (
    <Page
      title={t('admin.refusals')}
      about={t('admin.refusals.about')}
      wide
      actions={
        <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={refusals.isFetching} onClick={() => void refusals.refetch()}>
          {t('action.refresh')}
        </Button>
      }
    >
      <Search />
      <Loaded query={refusals}>
        {(list) => (
          <DataTable
            label={t('admin.refusals')}
            rows={list.map((r, i) => ({ ...r, i }))}
            rowKey={(r) => r.requestId + r.i}
            search={(r) => [r.requestId, r.principal, r.accessKey, r.remote, r.action, target(r), r.statement].join(' ')}
            empty={<EmptyState icon={IconShieldCheck} title={t('admin.refusals.none')} text={t('admin.refusals.none.text')} />}
            columns={[
              { id: 'time', title: t('admin.time'), cell: (r) => <When value={r.time} relative />, sort: (r) => r.time },
              { id: 'who', title: t('admin.session.who'), from: 'xs', cell: (r) => <span style={{ overflowWrap: 'anywhere' }} title={r.principal}>{r.principal ? principalName(r.principal) : t('admin.anonymous')}</span>, sort: (r) => r.principal },
              {
                id: 'what', title: t('admin.refusal.what'), sort: (r) => r.action,
                cell: (r) => (
                  <div>
                    <Link href={pathTo('refusals', r.requestId)} className={classes.link}>
                      <Mono wrap>{r.action}</Mono>
                    </Link>
                    {target(r) && (
                      <div>
                        <Mono wrap>{target(r)}</Mono>
                      </div>
                    )}
                    <Text size="xs" c="dimmed" hiddenFrom="md" style={{ overflowWrap: 'anywhere' }}>
                      <Box component="span" hiddenFrom="xs">
                        {r.principal ? principalName(r.principal) : t('admin.anonymous')}
                        {' · '}
                      </Box>
                      {why(r, t)}
                    </Text>
                  </div>
                ),
              },
              { id: 'why', title: t('admin.refusal.why'), from: 'md', cell: (r) => why(r, t), sort: (r) => why(r, t) },
              { id: 'remote', title: t('admin.remote'), from: 'lg', cell: (r) => <Mono>{r.remote ?? '–'}</Mono>, sort: (r) => r.remote ?? '' },
              {
                id: 'id', title: t('admin.request'), from: 'sm',
                cell: (r) => (
                  <Group gap={2} wrap="nowrap">
                    <Mono>{r.requestId}</Mono>
                    <CopyButton value={r.requestId} label={t('error.copyID')} size="xs" />
                  </Group>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}

function OnePage({ id }: { id: string }) {
  const t = useT();
  const query = useQuery({
    queryKey: ['admin', 'refusals', id], retry: false,
    queryFn: async ({ signal }) => (await adminGet<{ refusals: Refusal[] }>(['explain', id], {}, signal)).refusals,
  });
  return (
    <Page
      title={t('admin.refusal')}
      about={
        <Link href="/refusals" className={classes.link}>
          {t('admin.refusals')}
        </Link>
      }
    >
      <Search key={id} id={id} />
      <Loaded query={query}>
        {(list) => (
          <>
            {list.map((r, i) => (
              <Part
                key={i}
                title={why(r, t)}
                actions={
                  <Button component={Link} href={simulatorPath({ principal: r.accessKey ?? '', action: r.action, resource: target(r) })} variant="default" size="xs">
                    {t('admin.refusal.simulate')}
                  </Button>
                }
              >
                <Facts
                  rows={[
                    [t('admin.request'), <Group gap={4}><Mono wrap>{r.requestId}</Mono><CopyButton value={r.requestId} size="xs" /></Group>],
                    [t('admin.time'), <When value={r.time} />],
                    [t('admin.session.who'), r.principal ? <Mono wrap>{r.principal}</Mono> : t('admin.anonymous')],
                    [t('admin.accessKey'), r.accessKey ? <Mono wrap>{r.accessKey}</Mono> : undefined],
                    [t('admin.remote'), r.remote],
                    [t('admin.refusal.action'), <Mono wrap>{r.action}</Mono>],
                    [t('admin.refusal.target'), target(r) ? <Mono wrap>{target(r)}</Mono> : undefined],
                    [t('admin.refusal.statement'), r.statement ?? t('admin.refusal.nothing')],
                    [t('admin.refusal.todo'), r.explicit ? t('admin.refusal.todo.deny') : t('admin.refusal.todo.allow', { action: r.action })],
                  ]}
                />
              </Part>
            ))}
          </>
        )}
      </Loaded>
    </Page>
  );
}
