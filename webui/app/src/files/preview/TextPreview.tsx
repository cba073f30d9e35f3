import { Group, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState } from 'react';
import { request } from '../../api/http';
import { useT } from '../../i18n';
import { useFormat } from '../../ui/format';
import { Problem } from '../../ui/Problem';
import { parseCSV } from './csv';
import { DataGrid } from './DataGrid';
import type { Kind } from './kinds';

const Markdown = lazy(() => import('./Markdown'));

const head = 256 * 1024;
const gridRows = 200;

/** The beginning of a text, and of what is written in text: Markdown, JSON, tables. */
export function TextPreview({ url, size, kind, separator }: { url: string; size: number; kind: Kind; separator: string }) {
  const t = useT();
  const format = useFormat();
  const [source, setSource] = useState(false);
  const text = useQuery({
    queryKey: ['preview', url], retry: false,
    queryFn: async ({ signal }) => {
      const answer = await request(url, { signal, headers: size > head ? { Range: `bytes=0-${head - 1}` } : {} });
      return new TextDecoder().decode(await answer.arrayBuffer());
    },
  });
  if (text.error) return <Problem error={text.error} title={t('preview.failed')} />;
  if (text.data === undefined) return <Skeleton height={200} />;
  const cut = size > head;
  const rich = kind === 'markdown' || kind === 'csv' || (kind === 'json' && !cut);
  return (
    <Stack gap={6}>
      {rich && (
        <Group>
          <SegmentedControl
            size="xs" aria-label={t('preview.title')} value={source ? 'source' : 'rendered'} onChange={(v) => setSource(v === 'source')}
            data={[{ value: 'rendered', label: t('preview.rendered') }, { value: 'source', label: t('preview.source') }]}
          />
        </Group>
      )}
      {rich && !source ? <Rich text={text.data} kind={kind} separator={separator} cut={cut} /> : <Plain text={text.data} />}
      {cut && (
        <Text size="sm" c="dimmed">
          {t('preview.cut', { size: format.bytes(head) })}
        </Text>
      )}
    </Stack>
  );
}

function Rich({ text, kind, separator, cut }: { text: string; kind: Kind; separator: string; cut: boolean }) {
  const t = useT();
  const pretty = useMemo(() => (kind === 'json' ? indent(text) : text), [kind, text]);
  const rows = useMemo(() => (kind === 'csv' ? parseCSV(text, separator, gridRows + 1, cut) : []), [kind, text, separator, cut]);
  if (kind === 'markdown') {
    return (
      <Suspense fallback={<Skeleton height={200} />}>
        <Markdown text={text} />
      </Suspense>
    );
  }
  if (kind === 'csv') {
    return (
      <>
        <DataGrid header={rows[0] ?? []} rows={rows.slice(1)} />
        {rows.length > gridRows && (
          <Text size="sm" c="dimmed">
            {t('preview.rows', { n: gridRows })}
          </Text>
        )}
      </>
    );
  }
  return <Plain text={pretty} />;
}

function indent(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export function Plain({ text }: { text: string }) {
  const t = useT();
  return (
    <pre
      tabIndex={0} aria-label={t('preview.title')}
      style={{
        margin: 0, padding: 12, maxHeight: 420, overflow: 'auto', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontSize: 12.5, lineHeight: 1.5, fontFamily: 'var(--mantine-font-family-monospace)', background: 'var(--app-side)',
        border: '1px solid var(--app-line)', borderRadius: 8,
      }}
    >
      {text}
    </pre>
  );
}
