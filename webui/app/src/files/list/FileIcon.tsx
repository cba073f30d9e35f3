import { IconFile, IconFileCode, IconFileMusic, IconFileText, IconFileTypePdf, IconFileZip, IconFolderFilled, IconMovie, IconPhoto, IconTable, type Icon } from '@tabler/icons-react';
import type { Entry } from '../../api/s3';
import { kindOf, type Kind } from '../preview/kinds';

const icons: Record<Kind, Icon> = {
  image: IconPhoto, video: IconMovie, audio: IconFileMusic, pdf: IconFileTypePdf, text: IconFileText, markdown: IconFileText, json: IconFileCode, csv: IconTable, parquet: IconTable, archive: IconFileZip, none: IconFile,
};

/** The picture of what a row is. */
export function FileIcon({ entry, size = 18 }: { entry: Pick<Entry, 'kind' | 'key'>; size?: number }) {
  if (entry.kind === 'prefix' || entry.key.endsWith('/')) return <IconFolderFilled size={size} color="var(--app-folder)" aria-hidden />;
  const Shape = icons[kindOf(entry.key, '')];
  return <Shape size={size} stroke={1.6} color="var(--mantine-color-dimmed)" aria-hidden />;
}
