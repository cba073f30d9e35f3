import { Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { decompress as decompressZstd } from 'fzstd';
import { parquetMetadataAsync, parquetReadObjects, parquetSchema, type AsyncBuffer } from 'hyparquet';
import { gunzip } from 'hyparquet-compressors/src/gzip.js';
import { decompressLz4, decompressLz4Raw } from 'hyparquet-compressors/src/lz4.js';
import { request } from '../../api/http';
import { useT } from '../../i18n';
import { Problem } from '../../ui/Problem';
import { DataGrid } from './DataGrid';

const rowsShown = 50;

/** The first rows of a Parquet file; only the parts that they are in are asked for. */
export default function Parquet({ url, size }: { url: string; size: number }) {
  const t = useT();
  const table = useQuery({ queryKey: ['preview', url], retry: false, gcTime: 0, queryFn: ({ signal }) => read(url, size, signal) });
  if (table.error) return <Problem error={table.error} title={t('preview.failed')} />;
  if (!table.data) return <Skeleton height={180} />;
  return (
    <Stack gap={6}>
      <DataGrid header={table.data.columns} rows={table.data.rows} />
      <Text size="sm" c="dimmed">
        {t('preview.rows', { n: table.data.rows.length })} {t('preview.total', { n: table.data.total })}
      </Text>
    </Stack>
  );
}

async function read(url: string, size: number, signal: AbortSignal) {
  const file: AsyncBuffer = {
    byteLength: size,
    slice: async (start, end = size) => (await request(url, { signal, headers: { Range: `bytes=${start}-${end - 1}` } })).arrayBuffer(),
  };
  const metadata = await parquetMetadataAsync(file);
  const columns = parquetSchema(metadata).children.map((c) => c.element.name);
  const objects = await parquetReadObjects({
    file, metadata, rowEnd: rowsShown,
    compressors: { GZIP: (input, length) => gunzip(input, new Uint8Array(length)), ZSTD: (input) => decompressZstd(input), LZ4: decompressLz4, LZ4_RAW: decompressLz4Raw },
  });
  return { columns, rows: objects.map((o) => columns.map((c) => show(o[c]))), total: Number(metadata.num_rows) };
}

function show(v: unknown): string {
  if (v === null || v === undefined) return '';
  if (v instanceof Date) return v.toISOString();
  if (typeof v === 'object') return JSON.stringify(v, (_, x: unknown) => (typeof x === 'bigint' ? String(x) : x));
  return String(v);
}
