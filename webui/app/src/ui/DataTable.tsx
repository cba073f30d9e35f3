import { Box, Group, Pagination, Table, Text, TextInput, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconSearch } from '@tabler/icons-react';
import { useMemo, useState, type ReactNode } from 'react';
import { useT } from '../i18n';

/** A column of a table. */
export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** What the column is sorted by; without it, it can't be. */
  sort?: (row: T) => string | number;
  /** Left out below this width. */
  from?: 'xs' | 'sm' | 'md' | 'lg';
  align?: 'left' | 'right';
  width?: number | string;
}

interface Props<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** What the filter looks through; no filter without it. */
  search?: (row: T) => string;
  /** Shown in place of an empty table. */
  empty?: ReactNode;
  /** Beside the filter. */
  tools?: ReactNode;
  perPage?: number;
}

/** A table of what is wholly in memory: filtered, sorted and paged here. */
export function DataTable<T>({ label, rows, columns, rowKey, search, empty, tools, perPage = 100 }: Props<T>) {
  const t = useT();
  const [filter, setFilter] = useState('');
  const [order, setOrder] = useState<{ id: string; down: boolean }>();
  const [page, setPage] = useState(1);
  const shown = useMemo(() => arrange(rows, columns, filter, search, order), [rows, columns, filter, search, order]);
  const pages = Math.max(1, Math.ceil(shown.length / perPage));
  const at = Math.min(page, pages);
  if (rows.length === 0 && empty) return <>{empty}</>;
  return (
    <div>
      {(search || tools) && (
        <Group mb="sm" justify="space-between">
          {search && (
            <TextInput
              aria-label={t('ui.filter')}
              placeholder={t('ui.filter')}
              leftSection={<IconSearch size={16} aria-hidden />}
              value={filter}
              onChange={(e) => {
                setFilter(e.currentTarget.value);
                setPage(1);
              }}
              w={{ base: '100%', xs: 280 }}
            />
          )}
          {tools}
        </Group>
      )}
      <Box style={{ border: '1px solid var(--app-line)', borderRadius: 10, overflow: 'hidden' }}>
        <Table.ScrollContainer minWidth={0} type="native">
          <Table verticalSpacing={8} horizontalSpacing="md" highlightOnHover highlightOnHoverColor="var(--app-hover)" borderColor="var(--app-line)" aria-label={label}>
            <Table.Thead bg="var(--app-side)">
              <Table.Tr>
                {columns.map((c) => (
                  <Table.Th
                    key={c.id}
                    ta={c.align}
                    w={c.width}
                    visibleFrom={c.from}
                    aria-sort={order?.id === c.id ? (order.down ? 'descending' : 'ascending') : undefined}
                  >
                    {c.title === '' ? (
                      <VisuallyHidden>{t('action.more')}</VisuallyHidden>
                    ) : c.sort ? (
                      <UnstyledButton
                        fw={600}
                        fz="sm"
                        aria-label={t('ui.sort', { column: c.title })}
                        onClick={() => setOrder({ id: c.id, down: order?.id === c.id && !order.down })}
                      >
                        <Group gap={4} wrap="nowrap">
                          {c.title}
                          {order?.id === c.id && (order.down ? <IconArrowDown size={13} aria-hidden /> : <IconArrowUp size={13} aria-hidden />)}
                        </Group>
                      </UnstyledButton>
                    ) : (
                      <Text fw={600} fz="sm" span>
                        {c.title}
                      </Text>
                    )}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.slice((at - 1) * perPage, at * perPage).map((row) => (
                <Table.Tr key={rowKey(row)}>
                  {columns.map((c) => (
                    <Table.Td key={c.id} ta={c.align} visibleFrom={c.from}>
                      {c.cell(row)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
        {shown.length === 0 && (
          <Text p="lg" ta="center" c="dimmed" role="status">
            {t('ui.filter.none')}
          </Text>
        )}
      </Box>
      {pages > 1 && (
        <Group mt="sm" justify="space-between">
          <Text size="sm" c="dimmed">
            {t('ui.rows', { n: shown.length })}
          </Text>
          <Pagination total={pages} value={at} onChange={setPage} size="sm" getItemProps={(n) => ({ 'aria-label': t('ui.page', { n }) })} />
        </Group>
      )}
    </div>
  );
}

function arrange<T>(rows: T[], columns: Column<T>[], filter: string, search: ((row: T) => string) | undefined, order: { id: string; down: boolean } | undefined): T[] {
  const word = filter.trim().toLowerCase();
  const found = word && search ? rows.filter((r) => search(r).toLowerCase().includes(word)) : rows;
  const by = columns.find((c) => c.id === order?.id)?.sort;
  if (!by) return found;
  const sign = order!.down ? -1 : 1;
  return [...found].sort((a, b) => {
    const x = by(a), y = by(b);
    return sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true }));
  });
}
