import { Alert, Anchor, Button, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconCopy, IconDeviceFloppy, IconDownload, IconLock, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { groupsQuery, holdersQuery, policyQuery, useChanged, usersQuery } from '../data';
import { useAct } from '../parts/act';
import { readDocument } from '../parts/documents';
import { Frame, Part } from '../parts/Facts';
import { Loaded } from '../parts/Loaded';
import { NameSet } from '../parts/NameSet';
import { pathTo, useSegment } from '../parts/place';
import { PolicyEditor } from '../parts/PolicyEditor';
import { save } from '../parts/save';
import { usePeople, Who } from '../parts/Who';
import type { Policy } from '../types';
import { format } from './templates';

/** One policy: its document, and who has it. */
export default function PolicyPage() {
  const t = useT();
  const name = useSegment(2);
  const policy = useQuery(policyQuery(name));
  return (
    <Page
      title={name}
      about={
        <Anchor component={Link} href="/policies" size="sm">
          {t('admin.policies')}
        </Anchor>
      }
      actions={policy.data && <Actions policy={policy.data} />}
    >
      <Loaded query={policy}>{(p) => <Document key={p.name + (p.updated ?? '')} policy={p} />}</Loaded>
      <Holders name={name} />
    </Page>
  );
}

function Actions({ policy }: { policy: Policy }) {
  const t = useT();
  const { may } = useSession();
  const changed = useChanged();
  const [, go] = useLocation();
  const [deleting, setDeleting] = useState(false);
  return (
    <>
      <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => save(policy.name + '.json', format(policy.document) + '\n', 'application/json')}>
        {t('admin.download')}
      </Button>
      {may('admin:CreatePolicy') && (
        <Button variant="default" component={Link} href={pathTo('policies', 'new', policy.name)} leftSection={<IconCopy size={16} aria-hidden />}>
          {t('admin.duplicate')}
        </Button>
      )}
      {!policy.canned && may('admin:DeletePolicy') && (
        <Button variant="default" c="var(--mantine-color-error)" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setDeleting(true)}>
          {t('action.delete')}
        </Button>
      )}
      {deleting && (
        <ConfirmDialog
          title={t('admin.policy.delete')}
          action={t('action.delete')}
          danger
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await adminSend('DELETE', ['policies', policy.name]);
            go('/policies');
            setTimeout(() => void changed(), 0); // when this page is gone: what it shows can't be asked for any more
          }}
        >
          {t('admin.policy.delete.text', { name: policy.name })}
        </ConfirmDialog>
      )}
    </>
  );
}

function Document({ policy }: { policy: Policy }) {
  const t = useT();
  const { may } = useSession();
  const { act, busy } = useAct();
  const before = format(policy.document);
  const [text, setText] = useState(before);
  const fixed = policy.canned || !may('admin:CreatePolicy');
  return (
    <Part title={t('admin.policy.document')} about={policy.updated && !policy.canned ? <>{t('admin.updated')}: <When value={policy.updated} relative /></> : undefined}>
      <Stack>
        {policy.canned && (
          <Alert color="gray" icon={<IconLock aria-hidden />}>
            {t('admin.policy.canned.text')}
          </Alert>
        )}
        <PolicyEditor value={text} onChange={setText} readOnly={fixed} label={t('admin.policy.document')} minHeight={260} />
        {!fixed && (
          <Group>
            <Button
              leftSection={<IconDeviceFloppy size={16} aria-hidden />}
              disabled={text === before}
              loading={busy}
              onClick={() => void act(async () => adminSend('PUT', ['policies', policy.name], readDocument(text, (reason) => t('ui.json.bad', { reason }))), t('ui.saved'))}
            >
              {t('action.save')}
            </Button>
            <Button variant="default" disabled={text === before} onClick={() => setText(before)}>
              {t('admin.undo')}
            </Button>
            <Text size="sm" c="dimmed">
              {t('admin.policy.atOnce')}
            </Text>
          </Group>
        )}
      </Stack>
    </Part>
  );
}

function Holders({ name }: { name: string }) {
  const t = useT();
  const { may } = useSession();
  const { act } = useAct();
  const people = usePeople();
  const holders = useQuery({ ...holdersQuery(name), enabled: may('admin:ListUserPolicies') });
  const detach = may('admin:AttachUserOrGroupPolicy');
  const users = useQuery({ ...usersQuery, enabled: detach && may('admin:ListUsers') });
  const groups = useQuery({ ...groupsQuery, enabled: detach && may('admin:ListGroups') });
  if (!may('admin:ListUserPolicies')) return null;
  const take = (kind: 'users' | 'groups', who: string) => void act(() => adminSend('PATCH', [kind, who], { detach: [name] }), t('ui.saved'));
  const give = (kind: 'users' | 'groups', who: string) => act(() => adminSend('PATCH', [kind, who], { attach: [name] }), t('ui.saved'));
  return (
    <Part title={t('admin.policy.who')}>
      <Loaded query={holders} height={80}>
        {(h) => (
          <Frame>
            <Stack>
              <div>
                <Text fw={600} mb={6}>
                  {t('admin.users')}
                </Text>
                <NameSet
                  names={h.users}
                  options={(users.data ?? []).map((u) => u.name)}
                  label={t('admin.users')}
                  placeholder={t('admin.member.choose')}
                  empty={t('ui.none')}
                  show={(n) => <Who name={n} people={people} />}
                  onAdd={detach ? (n) => give('users', n) : undefined}
                  onRemove={detach ? (n) => take('users', n) : undefined}
                />
              </div>
              <div>
                <Text fw={600} mb={6}>
                  {t('admin.groups')}
                </Text>
                <NameSet
                  names={h.groups}
                  options={(groups.data ?? []).map((g) => g.name)}
                  label={t('admin.groups')}
                  placeholder={t('admin.group.choose')}
                  empty={t('ui.none')}
                  to={may('admin:GetGroup') ? (n) => pathTo('groups', n) : undefined}
                  onAdd={detach ? (n) => give('groups', n) : undefined}
                  onRemove={detach ? (n) => take('groups', n) : undefined}
                />
              </div>
            </Stack>
          </Frame>
        )}
      </Loaded>
    </Part>
  );
}
