import { Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { request } from '../../api/http';
import { useT } from '../../i18n';
import { useFormat } from '../../ui/format';
import { Problem } from '../../ui/Problem';
import { Broken } from './Broken';

const largest = 100 * 2 ** 20;

/** A document in the browser's own viewer. It gets the bytes as a blob, since the server's answers are sandboxed, where the viewer does not run. */
export function PDF({ url, size }: { url: string; size: number }) {
  const t = useT();
  const format = useFormat();
  const fits = size <= largest;
  const file = useQuery({ queryKey: ['preview', url], enabled: fits, gcTime: 0, retry: false, queryFn: async ({ signal }) => (await request(url, { signal })).blob() });
  // Whatever its type says: nothing but the viewer may open it.
  const src = useMemo(() => file.data && URL.createObjectURL(new Blob([file.data], { type: 'application/pdf' })), [file.data]);
  useEffect(() => () => void (src && URL.revokeObjectURL(src)), [src]);
  if (!fits) return <Text c="dimmed">{t('preview.large', { size: format.bytes(size) })}</Text>;
  if (!navigator.pdfViewerEnabled) return <Broken />;
  if (file.error) return <Problem error={file.error} title={t('preview.failed')} />;
  if (!src) return <Skeleton height={480} />;
  return <iframe src={src} title={t('preview.title')} style={{ width: '100%', height: 480, border: '1px solid var(--app-line)', borderRadius: 8 }} />;
}
