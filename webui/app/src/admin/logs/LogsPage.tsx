import { Button, Group, NativeSelect, Switch, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconDownload, IconPlayerPause, IconPlayerPlay, IconSearch } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useT, useTexts } from '../../i18n';
import { useFormat } from '../../ui/format';
import { Page } from '../../ui/Page';
import { LiveList } from '../parts/LiveList';
import { Failed } from '../parts/Loaded';
import { save } from '../parts/save';
import { State } from '../parts/State';
import { useStream } from '../parts/stream';
import { clock, StreamState } from '../trace/TracePage';
import classes from './logs.module.css';

interface Entry {
  n: number;
  time: string;
  level: 'info' | 'warn' | 'error';
  message: string;
  attrs?: Record<string, unknown>;
}

const most = 2000;
const kinds = { info: 'off', warn: 'soon', error: 'bad' } as const;

/** What the server says: the last lines, and those that come. */
export default function LogsPage() {
  const t = useT();
  const { language } = useTexts();
  const exact = useFormat().exact;
  const day = useMemo(() => new Intl.DateTimeFormat(language, { month: 'short', day: 'numeric' }), [language]);
  const [level, setLevel] = useState('');
  const [follow, setFollow] = useState(true);
  const [paused, setPaused] = useState(false);
  const [on, setOn] = useState(true);
  const [word, setWord] = useState('');
  const [wanted] = useDebouncedValue(word.trim().toLowerCase(), 200);
  const stream = useStream<Entry>('log', { last: '1000', level: level || undefined, follow: follow ? 'true' : undefined }, on, paused, most);
  const shown = useMemo(
    () => (wanted ? stream.lines.filter((l) => (l.message + ' ' + attrsText(l)).toLowerCase().includes(wanted)) : stream.lines),
    [stream.lines, wanted],
  );
  return (
    <Page
      title={t('admin.logs')}
      about={t('admin.logs.about')}
      wide
      actions={
        <>
          {follow && (
            <Button variant="default" leftSection={paused ? <IconPlayerPlay size={16} aria-hidden /> : <IconPlayerPause size={16} aria-hidden />} onClick={() => setPaused(!paused)}>
              {paused ? t('action.continue') : t('admin.pause')}
            </Button>
          )}
          <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => save('objsrv-log.ndjson', shown.map(({ n: _, ...l }) => JSON.stringify(l) + '\n').join(''), 'application/x-ndjson')}>
            {t('admin.download')}
          </Button>
        </>
      }
    >
      <Group gap="md" mb="sm">
        <TextInput aria-label={t('ui.filter')} placeholder={t('ui.filter')} leftSection={<IconSearch size={16} aria-hidden />} value={word} onChange={(e) => setWord(e.currentTarget.value)} w={{ base: '100%', xs: 260 }} />
        <NativeSelect
          aria-label={t('admin.logs.level')}
          value={level}
          onChange={(e) => setLevel(e.currentTarget.value)}
          data={[{ value: '', label: t('admin.logs.all') }, { value: 'warn', label: t('admin.logs.fromWarn') }, { value: 'error', label: t('admin.logs.onlyError') }]}
        />
        <Switch label={t('admin.logs.follow')} checked={follow} onChange={(e) => setFollow(e.currentTarget.checked)} />
        {follow && <StreamState of={stream} paused={paused} restart={() => { setOn(false); setTimeout(() => setOn(true), 0); }} />}
      </Group>
      {stream.error !== undefined ? (
        <Failed error={stream.error} />
      ) : (
        <LiveList
          label={t('admin.logs')}
          lines={shown}
          empty={wanted && stream.lines.length > 0 ? t('ui.filter.none') : t('admin.logs.empty')}
          rowClass={classes.row}
          stacked
          head={
            <>
              <span role="columnheader">{t('admin.time')}</span>
              <span role="columnheader">{t('admin.logs.level')}</span>
              <span role="columnheader">{t('admin.logs.message')}</span>
              <span role="columnheader">{t('admin.details')}</span>
            </>
          }
          row={(l) => (
            <>
              <span role="cell">
                <time dateTime={l.time} title={exact(l.time)}>{`${day.format(new Date(l.time))} ${clock(l.time)}`}</time>
              </span>
              <span role="cell">
                <State kind={kinds[l.level] ?? 'off'}>{l.level}</State>
              </span>
              <span role="cell" className={classes.text}>
                {l.message}
              </span>
              <span role="cell" className={classes.attrs}>
                {attrsText(l)}
              </span>
            </>
          )}
        />
      )}
      <Text size="sm" c="dimmed" mt="xs">
        {t('ui.rows', { n: shown.length })}
      </Text>
    </Page>
  );
}

const attrsText = (l: Entry) =>
  Object.entries(l.attrs ?? {})
    .map(([k, v]) => `${k}=${typeof v === 'string' ? v : JSON.stringify(v)}`)
    .join('  ');
