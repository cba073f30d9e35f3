import { Alert, Button, Drawer, Group, NativeSelect, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconPlayerPause, IconPlayerPlay, IconPlayerStop, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { useT } from '../../i18n';
import { ByteSize } from '../../ui/ByteSize';
import { useFormat } from '../../ui/format';
import { Page } from '../../ui/Page';
import { Facts, Mono, Part } from '../parts/Facts';
import { LiveList } from '../parts/LiveList';
import { Failed } from '../parts/Loaded';
import parts from '../parts/parts.module.css';
import { pathTo } from '../parts/place';
import { State } from '../parts/State';
import { useStream } from '../parts/stream';
import { principalName } from '../refusals/RefusalsPage';
import classes from './trace.module.css';

interface Entry {
  n: number;
  time: string;
  id: string;
  op: string;
  method: string;
  uri: string;
  bucket?: string;
  key?: string;
  version?: string;
  remote: string;
  tls: boolean;
  userAgent?: string;
  accessKey?: string;
  principal?: string;
  status: number;
  code?: string;
  ms: number;
  firstByteMs?: number;
  bytesIn: number;
  bytesOut: number;
  requestHeader?: Record<string, string[]>;
  answerHeader?: Record<string, string[]>;
}

const most = 2000;

/** The requests that the server answers, as it answers them. */
export default function TracePage() {
  const t = useT();
  const [on, setOn] = useState(true);
  const [paused, setPaused] = useState(false);
  const [filter, setFilter] = useState({ op: '', status: '', bucket: '', user: '', slow: '', errors: false, internal: false, headers: false });
  const [asked] = useDebouncedValue(filter, 500);
  const [shown, setShown] = useState<Entry>();
  const flag = (b: boolean) => (b ? 'true' : undefined);
  const stream = useStream<Entry>(
    'trace',
    {
      op: asked.op.trim() || undefined, status: asked.status || undefined, bucket: asked.bucket.trim() || undefined, user: asked.user.trim() || undefined,
      slow: /^\d+$/.test(asked.slow) ? asked.slow : undefined, errors: flag(asked.errors), internal: flag(asked.internal), headers: flag(asked.headers),
    },
    on, paused, most,
  );
  const text = (name: 'op' | 'bucket' | 'user' | 'slow', label: string, placeholder?: string) => (
    <TextInput label={label} value={filter[name]} onChange={(e) => setFilter({ ...filter, [name]: e.currentTarget.value })} placeholder={placeholder ?? ''} size="xs" w={{ base: '46%', xs: 150 }} spellCheck={false} {...(name === 'slow' ? { inputMode: 'numeric' as const } : {})} />
  );
  const flip = (name: 'errors' | 'internal' | 'headers', label: string) => <Switch size="xs" label={label} checked={filter[name]} onChange={(e) => setFilter({ ...filter, [name]: e.currentTarget.checked })} />;
  return (
    <Page
      title={t('admin.trace')}
      about={t('admin.trace.about')}
      wide
      actions={
        <>
          <Button variant="default" disabled={!on} leftSection={paused ? <IconPlayerPlay size={16} aria-hidden /> : <IconPlayerPause size={16} aria-hidden />} onClick={() => setPaused(!paused)}>
            {paused ? t('action.continue') : t('admin.pause')}
          </Button>
          <Button variant="default" leftSection={on ? <IconPlayerStop size={16} aria-hidden /> : <IconPlayerPlay size={16} aria-hidden />} onClick={() => setOn(!on)}>
            {on ? t('admin.stop') : t('admin.start')}
          </Button>
          <Button variant="default" leftSection={<IconTrash size={16} aria-hidden />} onClick={stream.clear}>
            {t('action.clear')}
          </Button>
        </>
      }
    >
      <Group gap="sm" align="flex-end" mb="sm">
        {text('op', t('admin.trace.op'), 'Get*')}
        <NativeSelect label={t('admin.trace.status')} value={filter.status} onChange={(e) => setFilter({ ...filter, status: e.currentTarget.value })} size="xs" data={['', '2xx', '3xx', '4xx', '5xx'].map((v) => ({ value: v, label: v || t('admin.trace.any') }))} />
        {text('bucket', t('admin.bucket'))}
        {text('user', t('admin.trace.user'))}
        {text('slow', t('admin.trace.slow'), 'ms')}
      </Group>
      <Group gap="lg" mb="sm">
        {flip('errors', t('admin.trace.errors'))}
        {flip('internal', t('admin.trace.internal'))}
        {flip('headers', t('admin.trace.headers'))}
        <StreamState of={stream} paused={paused} restart={() => { setOn(false); setTimeout(() => setOn(true), 0); }} />
      </Group>
      {stream.dropped > 0 && (
        <Text size="sm" c="dimmed" mb="sm" role="status">
          {t('admin.trace.dropped', { n: stream.dropped })}
        </Text>
      )}
      {stream.error !== undefined ? (
        <Failed error={stream.error} />
      ) : (
        <LiveList
          label={t('admin.trace')}
          lines={stream.lines}
          empty={on ? t('admin.trace.empty') : t('admin.trace.stopped')}
          rowClass={classes.row}
          head={
            <>
              <span role="columnheader">{t('admin.time')}</span>
              <span role="columnheader">{t('admin.trace.status')}</span>
              <span role="columnheader">{t('admin.trace.op')}</span>
              <span role="columnheader" className={classes.wide}>{t('admin.refusal.target')}</span>
              <span role="columnheader" className={classes.wide}>{t('admin.session.who')}</span>
              <span role="columnheader" className={classes.num}>{t('admin.trace.took')}</span>
              <span role="columnheader" className={`${classes.num} ${classes.wide}`}>{t('admin.trace.size')}</span>
            </>
          }
          row={(e) => <Row of={e} open={() => setShown(e)} />}
        />
      )}
      <Text size="sm" c="dimmed" mt="xs">
        {t('admin.trace.kept', { n: stream.lines.length, most })}
      </Text>
      <Drawer opened={shown !== undefined} onClose={() => setShown(undefined)} position="right" size="lg" title={t('admin.trace.one')} closeButtonProps={{ 'aria-label': t('action.close') }}>
        {shown && <Details of={shown} />}
      </Drawer>
    </Page>
  );
}

/** Whether a stream runs, and what begins it again. */
export function StreamState({ of, paused, restart }: { of: { state: string }; paused: boolean; restart: () => void }) {
  const t = useT();
  if (of.state === 'ended') {
    return (
      <Group gap="xs" role="status">
        <State kind="bad">{t('admin.stream.ended')}</State>
        <Button size="compact-xs" variant="default" onClick={restart}>
          {t('admin.stream.again')}
        </Button>
      </Group>
    );
  }
  const kind = paused ? 'soon' : of.state === 'open' ? 'good' : 'off';
  const words = paused ? t('admin.stream.paused') : of.state === 'open' ? t('admin.stream.live') : of.state === 'connecting' ? t('admin.stream.connecting') : t('admin.stream.stopped');
  return (
    <span role="status">
      <State kind={kind}>{words}</State>
    </span>
  );
}

const colour = (status: number) => (status >= 500 ? classes.bad : status >= 400 ? classes.warn : classes.good);
const target = (e: Entry) => (e.bucket ? (e.key ? `${e.bucket}/${e.key}` : e.bucket) : '');

function Row({ of: e, open }: { of: Entry; open: () => void }) {
  const t = useT();
  const format = useFormat();
  return (
    <>
      <span role="cell">
        <time dateTime={e.time} title={format.exact(e.time)}>
          {clock(e.time)}
        </time>
      </span>
      <span role="cell" className={colour(e.status)}>
        {e.status}
      </span>
      <span role="cell">
        <button type="button" className={classes.open} onClick={open} title={t('admin.details')}>
          {e.op || `${e.method} ${e.uri}`}
        </button>
      </span>
      <span role="cell" className={`${classes.cut} ${classes.wide}`} title={target(e) || e.uri}>
        {target(e) || '–'}
      </span>
      <span role="cell" className={`${classes.cut} ${classes.wide}`} title={e.principal ?? e.accessKey ?? ''}>
        {e.principal ? principalName(e.principal) : (e.accessKey ?? t('admin.anonymous'))}
      </span>
      <span role="cell" className={classes.num}>
        {millis(e.ms)}
      </span>
      <span role="cell" className={`${classes.num} ${classes.wide}`}>
        <ByteSize value={e.bytesIn + e.bytesOut} />
      </span>
    </>
  );
}

/** "14:03:09.123" in the place's own time. */
export function clock(time: string): string {
  const d = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

const millis = (ms: number) => (ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms`);

function Details({ of: e }: { of: Entry }) {
  const t = useT();
  const format = useFormat();
  return (
    <Stack>
      {e.status === 403 && (
        <Alert color="gray">
          <Link href={pathTo('refusals', e.id)} className={parts.link}>
            {t('error.why')}
          </Link>
        </Alert>
      )}
      <Facts
        rows={[
          [t('admin.request'), <Mono wrap>{e.id}</Mono>],
          [t('admin.time'), format.exact(e.time)],
          [t('admin.trace.op'), e.op],
          ['URI', <Mono wrap>{`${e.method} ${e.uri}`}</Mono>],
          [t('admin.refusal.target'), target(e) ? <Mono wrap>{target(e)}</Mono> : undefined],
          [t('admin.trace.version'), e.version],
          [t('admin.trace.status'), e.code ? `${e.status} ${e.code}` : String(e.status)],
          [t('admin.trace.took'), e.firstByteMs === undefined ? millis(e.ms) : t('admin.trace.first', { all: millis(e.ms), first: millis(e.firstByteMs) })],
          [t('admin.metrics.in'), <ByteSize value={e.bytesIn} />],
          [t('admin.metrics.out'), <ByteSize value={e.bytesOut} />],
          [t('admin.session.who'), e.principal ? <Mono wrap>{e.principal}</Mono> : t('admin.anonymous')],
          [t('admin.accessKey'), e.accessKey ? <Mono wrap>{e.accessKey}</Mono> : undefined],
          [t('admin.remote'), e.tls ? `${e.remote} (TLS)` : e.remote],
          [t('admin.trace.agent'), e.userAgent],
        ]}
      />
      {e.requestHeader && <Headers title={t('admin.trace.requestHeader')} of={e.requestHeader} />}
      {e.answerHeader && <Headers title={t('admin.trace.answerHeader')} of={e.answerHeader} />}
    </Stack>
  );
}

function Headers({ title, of }: { title: string; of: Record<string, string[]> }) {
  return (
    <Part title={title}>
      <Facts rows={Object.entries(of).sort().map(([k, v]) => [k, <Mono wrap>{v.join(', ')}</Mono>])} />
    </Part>
  );
}
