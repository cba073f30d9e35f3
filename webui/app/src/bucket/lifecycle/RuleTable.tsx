import { ActionIcon, Box, Group, Menu, Stack, Switch, Text } from '@mantine/core';
import { IconCode, IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useT } from '../../i18n';
import { DataTable, type Column } from '../../ui/DataTable';
import { useFormat } from '../../ui/format';
import type { Listed } from './rule';
import { actionWords, filterWords } from './words';
import { Done, type RuleDone } from './Work';

interface Props {
  rules: Listed[];
  /** What each has done, where that may be seen. */
  done: RuleDone[] | undefined;
  busy: boolean;
  onSwitch: (rule: Listed, on: boolean) => void;
  onEdit: (rule: Listed) => void;
  onXML: (rule: Listed) => void;
  onDelete: (rule: Listed) => void;
}

/** The rules of a bucket. */
export function RuleTable({ rules, done, busy, onSwitch, onEdit, onXML, onDelete }: Props) {
  const t = useT();
  const count = (r: Listed) => done?.find((d) => d.id === r.id);
  const columns: Column<Listed>[] = [
    {
      id: 'rule', title: t('lifecycle.rule'), sort: (r) => r.id,
      cell: (r) => (
        <Stack gap={4}>
          <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
            {r.id}
          </Text>
          <For rule={r} />
          <Box hiddenFrom="xs">
            <Does rule={r} />
          </Box>
        </Stack>
      ),
    },
    { id: 'does', title: t('lifecycle.does'), from: 'xs', cell: (r) => <Does rule={r} /> },
    ...(done ? [{ id: 'done', title: t('lifecycle.done'), from: 'lg', cell: (r: Listed) => <Done of={count(r)} /> } as Column<Listed>] : []),
    {
      id: 'state', title: t('lifecycle.state'), width: 90,
      cell: (r) => <Switch checked={r.enabled} disabled={busy} onChange={(e) => onSwitch(r, e.currentTarget.checked)} aria-label={`${t('lifecycle.state')}: ${r.id}`} />,
    },
    {
      id: 'act', title: '', align: 'right', width: 50,
      cell: (r) => (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={`${t('action.more')}: ${r.id}`}>
              <IconDots size={17} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {r.rule && (
              <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => onEdit(r)}>
                {t('action.edit')}
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconCode size={16} aria-hidden />} onClick={() => onXML(r)}>
              {t('raw.rule')}
            </Menu.Item>
            <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => onDelete(r)}>
              {t('action.delete')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      ),
    },
  ];
  return <DataTable label={t('lifecycle.rules')} rows={rules} columns={columns} rowKey={(r) => r.id} {...(rules.length > 8 ? { search: (r: Listed) => r.xml } : {})} />;
}

function For({ rule }: { rule: Listed }) {
  const t = useT();
  const format = useFormat();
  if (!rule.rule) return null;
  const words = filterWords(rule.rule, t, format.bytes);
  return (
    <Group gap="2px 10px">
      {(words.length > 0 ? words : [t('lifecycle.all')]).map((w) => (
        <Text key={w} size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {w}
        </Text>
      ))}
    </Group>
  );
}

function Does({ rule }: { rule: Listed }) {
  const t = useT();
  const format = useFormat();
  return (
    <Stack gap={2}>
      {(rule.rule ? actionWords(rule.rule, t, format.day) : [t('lifecycle.unknown')]).map((w) => (
        <Text key={w} size="md">
          {w}
        </Text>
      ))}
    </Stack>
  );
}
