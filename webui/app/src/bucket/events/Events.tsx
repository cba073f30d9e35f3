import { ActionIcon, Alert, Box, Button, Group, Menu, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconDots, IconInfoCircle, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { targetsQuery, type Target } from '../../admin/targets/target';
import { TargetState } from '../../admin/targets/TargetState';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { DataTable, type Column } from '../../ui/DataTable';
import { RulesXML } from '../RulesXML';
import { changeRule, loadRules, notificationKind } from '../rules';
import { SectionHead, type SectionProps } from '../Section';
import { Asked } from '../setting';
import { Unavailable } from '../Unavailable';
import { EventDialog } from './EventDialog';
import { eventRuleXML, listedEvents, sameTarget, targetOf, wholeKind, type ListedEvents } from './rule';

/** Which events of the bucket are sent to which targets. */
export default function Events({ bucket }: SectionProps) {
  const { has } = useSession();
  return (
    <>
      <SectionHead title="bucket.events" hint="events.hint" />
      {has('PutBucketNotificationConfiguration') ? <Rules bucket={bucket} /> : <Unavailable />}
    </>
  );
}

type Open = { what: 'edit' | 'delete'; rule: ListedEvents | undefined };

function Rules({ bucket }: SectionProps) {
  const t = useT();
  const { may } = useSession();
  const rules = useQuery({ queryKey: ['bucket', bucket, 'notification', 'rules'], queryFn: ({ signal }) => loadRules(bucket, notificationKind, signal), retry: false });
  const seen = may('admin:ServerInfo');
  const targets = useQuery({ ...targetsQuery, enabled: seen, retry: false });
  const [open, setOpen] = useState<Open>();
  const [text, setText] = useState(false);
  const store = async (before: ListedEvents | undefined, after: string | undefined) => {
    await changeRule(bucket, notificationKind, before?.xml, after);
    await rules.refetch();
  };
  const none = targets.data?.length === 0;
  return (
    <Asked query={rules}>
      {(doc) => {
        const list = doc.rules.map(listedEvents);
        const target = open?.rule;
        return (
          <Stack>
            {none && (
              <Alert color="gray" icon={<IconInfoCircle aria-hidden />} title={t('targets.none')}>
                {t('targets.none.text')}
              </Alert>
            )}
            <Group justify="flex-end" gap="xs">
              {list.length > 0 && (
                <Button size="xs" variant="subtle" onClick={() => setText(!text)} aria-expanded={text}>
                  {t('lifecycle.asXML')}
                </Button>
              )}
              <Button size="xs" disabled={none} leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setOpen({ what: 'edit', rule: undefined })}>
                {t('lifecycle.add')}
              </Button>
            </Group>
            {list.length === 0 ? (
              <Text>{t('events.none')}</Text>
            ) : text ? (
              <RulesXML key={doc.rules.join()} bucket={bucket} kind={notificationKind} doc={doc} saved={rules.refetch} />
            ) : (
              <Table rules={list} targets={targets.data} onOpen={setOpen} />
            )}
            {open?.what === 'edit' && (
              <EventDialog {...(target ? { rule: target.rule } : {})} targets={targets.data} onSave={(r) => store(target, eventRuleXML(r))} onClose={() => setOpen(undefined)} />
            )}
            {open?.what === 'delete' && target && (
              <ConfirmDialog title={`${t('action.delete')}: ${nameOf(target)}`} action={t('action.delete')} danger onClose={() => setOpen(undefined)} onConfirm={() => store(target, undefined)}>
                <Text>{t('events.delete.text')}</Text>
              </ConfirmDialog>
            )}
          </Stack>
        );
      }}
    </Asked>
  );
}

const nameOf = ({ rule }: ListedEvents) => rule.id || targetOf(rule.arn).id || rule.arn;

function Table({ rules, targets, onOpen }: { rules: ListedEvents[]; targets: Target[] | undefined; onOpen: (o: Open) => void }) {
  const t = useT();
  const { may } = useSession();
  const columns: Column<ListedEvents>[] = [
    {
      id: 'target', title: t('events.target'), sort: (r) => r.rule.arn,
      cell: (r) => {
        const { rule } = r;
        const { id, kind } = targetOf(rule.arn);
        const target = targets?.find((x) => sameTarget(x.arn, rule.arn));
        return (
          <Stack gap={2}>
            <Text fw={600} title={rule.arn} style={{ overflowWrap: 'anywhere' }}>
              {id ? `${kind} ${id}` : rule.arn}
            </Text>
            {rule.id && (
              <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                {rule.id}
              </Text>
            )}
            {targets && (target ? <TargetState of={target} /> : <Text size="sm">{t('targets.gone')}</Text>)}
            <Box hiddenFrom="xs">
              <What of={r} />
            </Box>
          </Stack>
        );
      },
    },
    {
      id: 'events', title: t('bucket.events'), from: 'xs', cell: (r) => <What of={r} />,
    },
    {
      id: 'act', title: '', align: 'right', width: 50,
      cell: (r) => (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={`${t('action.more')}: ${nameOf(r)}`}>
              <IconDots size={17} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {r.known && (
              <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => onOpen({ what: 'edit', rule: r })}>
                {t('action.edit')}
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => onOpen({ what: 'delete', rule: r })}>
              {t('action.delete')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      ),
    },
  ];
  return (
    <>
      <DataTable label={t('bucket.events')} rows={rules} columns={columns} rowKey={(r) => r.xml} />
      {may('admin:ServerInfo') && (
        <Text size="md">
          <Link href="/targets" style={{ color: 'var(--mantine-color-anchor)' }}>
            {t('admin.targets')}
          </Link>
        </Text>
      )}
    </>
  );
}

/** The events of a rule, and the keys that it is for. */
function What({ of: { rule, known } }: { of: ListedEvents }) {
  const t = useT();
  return (
    <Stack gap={2}>
      {rule.events.map((e) => (
        <Text key={e} size="md" title={e} style={{ overflowWrap: 'anywhere' }}>
          {wholeKind(e) ? t(`events.kind.${wholeKind(e)!}`) : e.replace(/^s3:/, '')}
        </Text>
      ))}
      <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
        {rule.prefix || rule.suffix ? `${rule.prefix}…${rule.suffix}` : t('lifecycle.all')}
      </Text>
      {!known && <Text size="sm">{t('events.unknown')}</Text>}
    </Stack>
  );
}
