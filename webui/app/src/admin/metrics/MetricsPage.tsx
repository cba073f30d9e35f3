import { SegmentedControl, SimpleGrid, Text } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { adminGet } from '../../api/admin';
import { useT } from '../../i18n';
import { useFormat } from '../../ui/format';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { Loaded } from '../parts/Loaded';
import { Chart } from './Chart';
import { points, type History } from './series';

// Minutes that are shown, and minutes of one point: some 120 to 180 points.
const ranges = { '60': 1, '360': 2, '1440': 10 } as const;
type Range = keyof typeof ranges;

/** Requests, latency, bytes, errors, memory and disk of the last day. */
export default function MetricsPage() {
  const t = useT();
  const [range, setRange] = useState<Range>('60');
  const query = useQuery({
    queryKey: ['admin', 'metrics', range], queryFn: ({ signal }) => adminGet<History>(['metrics', 'history'], { minutes: range }, signal), refetchInterval: 20_000, placeholderData: keepPreviousData,
  });
  return (
    <Page
      title={t('admin.metrics')}
      about={t('admin.metrics.about')}
      wide
      actions={
        <SegmentedControl
          aria-label={t('admin.metrics.range')}
          value={range}
          onChange={(v) => setRange(v as Range)}
          data={[{ value: '60', label: t('admin.hours', { n: 1 }) }, { value: '360', label: t('admin.hours', { n: 6 }) }, { value: '1440', label: t('admin.hours', { n: 24 }) }]}
        />
      }
    >
      <Loaded query={query}>{(h) => <Charts history={h} range={range} />}</Loaded>
    </Page>
  );
}

function Charts({ history, range }: { history: History; range: Range }) {
  const t = useT();
  const format = useFormat();
  const p = useMemo(() => points(history, Number(range), ranges[range]), [history, range]);
  const rate = (v: number) => t('admin.perSecond', { value: short(v) });
  const bytes = (v: number) => t('admin.perSecond', { value: format.bytes(v) });
  const ms = (v: number) => (v >= 1000 ? `${short(v / 1000)} s` : `${short(v)} ms`);
  return (
    <>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Chart title={t('admin.metrics.requests')} at={p.at} lines={[{ name: t('admin.metrics.all'), line: p.requests, colour: 'a' }]} format={rate} />
        <Chart title={t('admin.metrics.latency')} at={p.at} lines={[{ name: t('admin.metrics.p50'), line: p.p50, colour: 'a' }, { name: t('admin.metrics.p99'), line: p.p99, colour: 'c' }]} format={ms} />
        <Chart title={t('admin.metrics.bytes')} at={p.at} lines={[{ name: t('admin.metrics.in'), line: p.bytesIn, colour: 'a' }, { name: t('admin.metrics.out'), line: p.bytesOut, colour: 'b' }]} format={bytes} binary />
        <Chart title={t('admin.metrics.errors')} at={p.at} lines={[{ name: t('admin.metrics.4xx'), line: p.errors4xx, colour: 'c' }, { name: t('admin.metrics.5xx'), line: p.errors5xx, colour: 'd' }]} format={rate} />
        <Chart title={t('admin.metrics.memory')} at={p.at} lines={[{ name: t('admin.metrics.resident'), line: p.memory, colour: 'a' }]} format={format.bytes} binary />
        <Chart title={t('admin.metrics.disk')} at={p.at} lines={[{ name: t('admin.server.free'), line: p.diskFree, colour: 'a' }, { name: t('admin.metrics.total'), line: p.diskTotal, colour: 'c' }]} format={format.bytes} binary />
        <Chart title={t('admin.metrics.load')} at={p.at} lines={[{ name: t('admin.metrics.connections'), line: p.connections, colour: 'a' }, { name: t('admin.metrics.goroutines'), line: p.goroutines, colour: 'b' }]} format={short} />
      </SimpleGrid>
      <Text size="sm" c="dimmed" mt="md" component="div">
        {t('admin.metrics.since')} <When value={history.since} />
      </Text>
    </>
  );
}

/** Three digits. */
const short = (v: number) => v.toLocaleString(undefined, { maximumSignificantDigits: v >= 100 ? 4 : 3 });
