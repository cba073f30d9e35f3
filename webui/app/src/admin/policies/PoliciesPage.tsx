import { Badge, Button, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconFileText, IconPlus } from '@tabler/icons-react';
import { Link } from 'wouter';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { groupsQuery, policiesQuery, usersQuery } from '../data';
import { Loaded } from '../parts/Loaded';
import classes from '../parts/parts.module.css';
import { pathTo } from '../parts/place';

/** All policies, with how many have each. */
export default function PoliciesPage() {
  const t = useT();
  const { may } = useSession();
  const policies = useQuery(policiesQuery);
  const users = useQuery({ ...usersQuery, enabled: may('admin:ListUsers') });
  const groups = useQuery({ ...groupsQuery, enabled: may('admin:ListGroups') });
  const holders = (name: string) => (users.data ?? []).filter((u) => u.policies.includes(name)).length + (groups.data ?? []).filter((g) => g.policies.includes(name)).length;
  const known = users.data !== undefined && groups.data !== undefined;
  return (
    <Page
      title={t('admin.policies')}
      about={t('admin.policies.about')}
      actions={
        may('admin:CreatePolicy') && (
          <Button component={Link} href="/policies/new" leftSection={<IconPlus size={16} aria-hidden />}>
            {t('admin.policy.new')}
          </Button>
        )
      }
      wide
    >
      <Loaded query={policies}>
        {(list) => (
          <DataTable
            label={t('admin.policies')}
            rows={list}
            rowKey={(p) => p.name}
            search={(p) => p.name}
            empty={<EmptyState icon={IconFileText} title={t('admin.policies.none')} />}
            columns={[
              {
                id: 'name', title: t('ui.name'), sort: (p) => p.name,
                cell: (p) => (
                  <Group gap={8}>
                    {may('admin:GetPolicy') ? (
                      <Link href={pathTo('policies', 'name', p.name)} className={classes.link}>
                        {p.name}
                      </Link>
                    ) : (
                      p.name
                    )}
                    {p.canned && <Badge color="gray">{t('admin.policy.canned')}</Badge>}
                  </Group>
                ),
              },
              ...(known ? [{ id: 'holders', title: t('admin.policy.holders'), align: 'right' as const, cell: (p: { name: string }) => holders(p.name) || '–', sort: (p: { name: string }) => holders(p.name) }] : []),
              { id: 'updated', title: t('admin.updated'), from: 'sm', cell: (p) => (p.updated ? <When value={p.updated} relative /> : '–'), sort: (p) => p.updated ?? '' },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}
