import { Stack, Table } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Head } from '../../api/s3';
import { useT } from '../../i18n';
import { ByteSize } from '../../ui/ByteSize';
import { When } from '../../ui/When';
import { Preview } from '../preview/Preview';

/** A look at the object and what there is to know about it. */
export function Overview({ bucket, objectKey, version, info }: { bucket: string; objectKey: string; version: string | undefined; info: Head }) {
  const t = useT();
  const rows: [string, ReactNode][] = [
    [t('ui.name'), objectKey],
    [t('files.size'), <ByteSize key="size" value={info.size} />],
    [t('files.modified'), <When key="when" value={info.modified} />],
    [t('detail.type'), info.type],
    ['ETag', info.etag],
  ];
  if (info.versionId && info.versionId !== 'null') rows.push([t('detail.version'), info.versionId]);
  if (info.lockMode) rows.push([t('detail.retention'), <span key="lock">{info.lockMode} · <When value={info.lockUntil} /></span>]);
  if (info.legalHold === 'ON') rows.push([t('detail.hold'), t('ui.on')]);
  return (
    <Stack>
      <Preview bucket={bucket} objectKey={objectKey} version={version} size={info.size} type={info.type} />
      <Table variant="vertical" layout="fixed" borderColor="var(--app-line)">
        <Table.Tbody>
          {rows.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th w={130} c="dimmed" fw={400}>
                {name}
              </Table.Th>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
