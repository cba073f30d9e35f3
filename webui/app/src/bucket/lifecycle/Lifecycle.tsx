import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { RulesXML } from '../RulesXML';
import { changeRule, lifecycleKind, loadRules } from '../rules';
import { SectionHead, type SectionProps } from '../Section';
import { Asked, useChange } from '../setting';
import { Unavailable } from '../Unavailable';
import { Preview } from './Preview';
import { listed, ruleXML, switched, type Listed } from './rule';
import { RuleDialog } from './RuleDialog';
import { RuleTable } from './RuleTable';
import { RuleXMLDialog } from './RuleXMLDialog';
import { useStatus, Work } from './Work';

/** Rules by which objects and versions go by themselves: the list, what they have done, and what they will do. */
export default function Lifecycle({ bucket }: SectionProps) {
  const { has, server } = useSession();
  return (
    <>
      <SectionHead title="bucket.lifecycle" hint="lifecycle.hint" />
      {has('PutBucketLifecycleConfiguration') ? <Rules bucket={bucket} /> : <Unavailable {...(server.gateway ? { why: 'lifecycle.gateway' } : {})} />}
    </>
  );
}

type Open = { what: 'edit' | 'xml' | 'delete'; rule: Listed | undefined };

function Rules({ bucket }: SectionProps) {
  const t = useT();
  const { may } = useSession();
  const rules = useQuery({ queryKey: ['bucket', bucket, 'lifecycle', 'rules'], queryFn: ({ signal }) => loadRules(bucket, lifecycleKind, signal), retry: false });
  const status = useStatus(bucket);
  const [open, setOpen] = useState<Open>();
  const [text, setText] = useState(false);
  const saved = async () => {
    await rules.refetch();
    if (may('admin:DataUsageInfo')) await status.refetch();
  };
  const change = useChange(saved);
  const store = async (before: Listed | undefined, after: string | undefined) => {
    await changeRule(bucket, lifecycleKind, before?.xml, after);
    await saved();
  };
  return (
    <Asked query={rules}>
      {(doc) => {
        const list = doc.rules.map(listed);
        const target = open?.rule;
        return (
          <Stack gap="lg">
            <Group justify="space-between">
              <Title order={3}>{t('lifecycle.rules')}</Title>
              <Group gap="xs">
                {list.length > 0 && (
                  <Button size="xs" variant="subtle" onClick={() => setText(!text)} aria-expanded={text}>
                    {t('lifecycle.asXML')}
                  </Button>
                )}
                <Button size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setOpen({ what: 'edit', rule: undefined })}>
                  {t('lifecycle.add')}
                </Button>
              </Group>
            </Group>
            {change.problem}
            {list.length === 0 ? (
              <Text>{t('lifecycle.none')}</Text>
            ) : text ? (
              <RulesXML key={doc.rules.join()} bucket={bucket} kind={lifecycleKind} doc={doc} saved={saved} />
            ) : (
              <RuleTable
                rules={list} done={status.data?.rules} busy={change.busy} onSwitch={(r, on) => void change.run(() => changeRule(bucket, lifecycleKind, r.xml, switched(r.xml, on)))}
                onEdit={(r) => setOpen({ what: r.rule ? 'edit' : 'xml', rule: r })} onXML={(r) => setOpen({ what: 'xml', rule: r })} onDelete={(r) => setOpen({ what: 'delete', rule: r })}
              />
            )}
            {list.length > 0 && may('admin:DataUsageInfo') && (
              <>
                <Work bucket={bucket} status={status} />
                <Preview key={doc.rules.join()} bucket={bucket} />
              </>
            )}
            {open?.what === 'edit' && <RuleDialog {...(target?.rule ? { rule: target.rule } : {})} onSave={(r) => store(target, ruleXML(r))} onClose={() => setOpen(undefined)} />}
            {open?.what === 'xml' && target && <RuleXMLDialog xml={target.xml} onSave={(xml) => store(target, xml)} onClose={() => setOpen(undefined)} />}
            {open?.what === 'delete' && target && (
              <ConfirmDialog title={`${t('action.delete')}: ${target.id}`} action={t('action.delete')} danger onClose={() => setOpen(undefined)} onConfirm={() => store(target, undefined)}>
                <Text>{t('lifecycle.delete.text')}</Text>
              </ConfirmDialog>
            )}
          </Stack>
        );
      }}
    </Asked>
  );
}
