import { Badge, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconLock, IconPlus } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { Page } from '../../ui/Page';
import { Problem } from '../../ui/Problem';
import { When } from '../../ui/When';
import { useChanged } from '../data';
import { Part } from '../parts/Facts';
import { FormDialog } from '../parts/FormDialog';
import { Loaded } from '../parts/Loaded';
import { encryptionKeysQuery, resealAll, type EncryptionKey, type Resealing } from './keys';

/** The named keys of server-side encryption. */
export default function EncryptionPage() {
  const t = useT();
  const { may } = useSession();
  const keys = useQuery(encryptionKeysQuery);
  const changed = useChanged();
  const [creating, setCreating] = useState(false);
  const [rotating, setRotating] = useState<EncryptionKey>();
  const create = may('kms:CreateKey') && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      {t('enckey.new')}
    </Button>
  );
  return (
    <Page title={t('admin.enckeys')} about={t('enckey.about')} actions={create} wide>
      <Loaded query={keys}>
        {(list) => (
          <DataTable
            label={t('admin.enckeys')} rows={list} rowKey={(k) => k.name} {...(list.length > 8 ? { search: (k: EncryptionKey) => k.name } : {})} empty={<EmptyState icon={IconLock} title={t('enckey.none')} />}
            columns={[
              {
                id: 'name', title: t('ui.name'), sort: (k) => k.name,
                cell: (k) => (
                  <Group gap={6}>
                    <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
                      {k.name}
                    </Text>
                    {k.default && <Badge size="sm">{t('enckey.default')}</Badge>}
                    {k.outside && (
                      <Badge color="gray" size="sm">
                        {t('enckey.outside')}
                      </Badge>
                    )}
                  </Group>
                ),
              },
              { id: 'versions', title: t('admin.usage.versions'), align: 'right', sort: (k) => k.versions, cell: (k) => k.versions },
              { id: 'created', title: t('admin.created'), from: 'sm', sort: (k) => k.created ?? '', cell: (k) => (k.created ? <When value={k.created} /> : '–') },
              { id: 'rotated', title: t('enckey.rotated'), from: 'sm', sort: (k) => k.rotated ?? '', cell: (k) => (k.rotated && k.versions > 1 ? <When value={k.rotated} /> : '–') },
              {
                id: 'act', title: '', align: 'right',
                cell: (k) =>
                  may('kms:KeyRotate') &&
                  !k.outside && (
                    <Button size="xs" variant="default" onClick={() => setRotating(k)} aria-label={`${t('enckey.rotate')}: ${k.name}`}>
                      {t('enckey.rotate')}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
      {may('kms:KeyRotate') && keys.data && <Reseal />}
      {creating && <NewKeyDialog onClose={() => setCreating(false)} />}
      {rotating && (
        <ConfirmDialog
          title={`${t('enckey.rotate')}: ${rotating.name}`} action={t('enckey.rotate')} onClose={() => setRotating(undefined)}
          onConfirm={async () => {
            await adminSend('POST', ['encryption-keys', rotating.name, 'rotate']);
            await changed();
          }}
        >
          <Text>{t('enckey.rotate.text')}</Text>
        </ConfirmDialog>
      )}
    </Page>
  );
}

function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const [name, setName] = useState('');
  return (
    <FormDialog title={t('enckey.new')} action={t('action.create')} onSubmit={() => adminSend('PUT', ['encryption-keys', name.trim()])} onClose={onClose}>
      <TextInput label={t('ui.name')} description={t('enckey.name.hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} autoComplete="off" spellCheck={false} data-autofocus />
    </FormDialog>
  );
}

function Reseal() {
  const t = useT();
  const [sum, setSum] = useState<Resealing>();
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<unknown>();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const begin = () => {
    stop.current = new AbortController();
    setRunning(true);
    setError(undefined);
    setSum({ looked: 0, resealed: 0 });
    resealAll(setSum, stop.current.signal)
      .catch(setError)
      .finally(() => setRunning(false));
  };
  return (
    <Part
      title={t('enckey.reseal')} about={t('enckey.reseal.about')}
      actions={
        <Button size="xs" variant="default" onClick={running ? () => stop.current?.abort() : begin}>
          {t(running ? 'enckey.reseal.stop' : 'enckey.reseal.begin')}
        </Button>
      }
    >
      <Stack>
        {sum && <Text role="status">{t('enckey.reseal.sum', { looked: sum.looked, n: sum.resealed })}</Text>}
        {sum?.failed ? <Text c="var(--mantine-color-error)">{t('enckey.reseal.failed', { n: sum.failed, first: sum.first ?? '' })}</Text> : null}
        {error !== undefined && <Problem error={error} />}
      </Stack>
    </Part>
  );
}
