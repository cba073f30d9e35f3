import { Skeleton, Text } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { inlineURL } from '../../api/s3';
import { useT } from '../../i18n';
import { useFormat } from '../../ui/format';
import { Broken } from './Broken';
import { kindOf } from './kinds';
import { PDF } from './PDF';
import { TextPreview } from './TextPreview';

const Parquet = lazy(() => import('./Parquet'));

export interface PreviewProps {
  bucket: string;
  objectKey: string;
  version: string | undefined;
  size: number;
  type: string;
}

const largestPicture = 64 * 2 ** 20;

/**
 * Shows an object without letting it do anything: pictures, sound and films go through elements that run no scripts,
 * text is text, and everything else is read here and drawn by us.
 */
export function Preview(p: PreviewProps) {
  const t = useT();
  const format = useFormat();
  const kind = kindOf(p.objectKey, p.type);
  const url = inlineURL(p.bucket, p.objectKey, p.version);
  if (p.size === 0 || kind === 'none' || kind === 'archive') return null;
  switch (kind) {
    case 'image':
      return p.size > largestPicture ? <Text c="dimmed">{t('preview.large', { size: format.bytes(p.size) })}</Text> : <Picture url={url} name={p.objectKey} />;
    case 'video':
      return <Media kind="video" url={url} />;
    case 'audio':
      return <Media kind="audio" url={url} />;
    case 'pdf':
      return <PDF url={url} size={p.size} />;
    case 'parquet':
      return (
        <Suspense fallback={<Skeleton height={180} />}>
          <Parquet url={url} size={p.size} />
        </Suspense>
      );
    default:
      return <TextPreview url={url} size={p.size} kind={kind} separator={p.objectKey.toLowerCase().endsWith('.tsv') ? '\t' : ','} />;
  }
}

const frame = { border: '1px solid var(--app-line)', borderRadius: 8, maxWidth: '100%' } as const;

function Picture({ url, name }: { url: string; name: string }) {
  const t = useT();
  const [broken, setBroken] = useState(false);
  if (broken) return <Broken />;
  return (
    <img
      src={url} alt={t('preview.image', { name })} onError={() => setBroken(true)}
      style={{ ...frame, maxHeight: 420, minHeight: 40, minWidth: 40, objectFit: 'contain', alignSelf: 'flex-start', background: 'repeating-conic-gradient(var(--app-hover) 0 25%, transparent 0 50%) 0 0/16px 16px' }}
    />
  );
}

function Media({ kind: Kind, url }: { kind: 'video' | 'audio'; url: string }) {
  const [broken, setBroken] = useState(false);
  if (broken) return <Broken />;
  return <Kind src={url} controls preload="metadata" onError={() => setBroken(true)} style={{ ...(Kind === 'video' && frame), width: '100%', maxHeight: 420 }} />;
}
