import { Table } from '@mantine/core';
import { useT } from '../../i18n';

/** A table of values as they are. */
export function DataGrid({ header, rows }: { header: string[]; rows: string[][] }) {
  const t = useT();
  return (
    <div tabIndex={0} role="region" aria-label={t('preview.title')} style={{ maxHeight: 420, overflow: 'auto', border: '1px solid var(--app-line)', borderRadius: 8 }}>
      <Table stickyHeader fz="sm" verticalSpacing={4} striped="even" stripedColor="var(--app-side)" withColumnBorders borderColor="var(--app-line)">
        <Table.Thead bg="var(--app-side)">
          <Table.Tr>
            {header.map((h, i) => (
              <Table.Th key={i} style={{ whiteSpace: 'nowrap' }}>
                {h || '\u00a0'}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((r, i) => (
            <Table.Tr key={i}>
              {r.map((v, j) => (
                <Table.Td key={j} style={{ whiteSpace: 'nowrap', maxWidth: 320, overflow: 'hidden', textOverflow: 'ellipsis' }} title={v}>
                  {v}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
