import { Button, Group, NativeSelect, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { adminGet } from '../../api/admin';
import { useT, type Key } from '../../i18n';
import { DataTable, type Column } from '../../ui/DataTable';
import { useFormat } from '../../ui/format';
import { Problem } from '../../ui/Problem';
import { When } from '../../ui/When';

/** Something that is going to be deleted. */
interface Plan {
  key: string;
  versionId?: string;
  uploadId?: string;
  size: number;
  deleteMarker?: boolean;
  action: 'expire' | 'expire-all' | 'expire-noncurrent' | 'remove-marker' | 'abort-upload';
  rule: string;
  due: string;
  locked?: boolean;
}

const page = 200;
// A page may be empty when nothing of what has been looked at is due: so many are asked for at once.
const tries = 20;

interface Found {
  plans: Plan[];
  next: string | undefined;
}

/** What the rules are going to delete, and when, a part of the bucket at a time. */
export function Preview({ bucket }: { bucket: string }) {
  const t = useT();
  const [days, setDays] = useState('30');
  const [found, setFound] = useState<Found>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const look = async (before: Found | undefined) => {
    setBusy(true);
    setError(undefined);
    try {
      setFound(await further(bucket, days, before));
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Stack gap="sm" component="section" aria-label={t('lifecycle.preview')}>
      <div>
        <Title order={3}>{t('lifecycle.preview')}</Title>
        <Text size="sm" c="dimmed">
          {t('lifecycle.preview.hint')}
        </Text>
      </div>
      <Group align="flex-end" gap="xs">
        <NativeSelect
          label={t('lifecycle.preview.due')} value={days} onChange={(e) => (setDays(e.currentTarget.value), setFound(undefined))} w={170}
          data={[...[1, 7, 30, 365].map((n) => ({ value: String(n), label: t('lifecycle.preview.within', { n }) })), { value: '', label: t('lifecycle.preview.any') }]}
        />
        <Button variant="default" loading={busy} onClick={() => void look(undefined)}>
          {t('lifecycle.preview.show')}
        </Button>
      </Group>
      {error !== undefined && <Problem error={error} />}
      {found && <Plans found={found} busy={busy} more={() => void look(found)} />}
    </Stack>
  );
}

async function further(bucket: string, days: string, before: Found | undefined): Promise<Found> {
  const until = days === '' ? undefined : new Date(Date.now() + Number(days) * 86400_000).toISOString();
  const plans = [...(before?.plans ?? [])];
  const have = plans.length;
  let next = before?.next;
  for (let i = 0; i < tries; i++) {
    const got = await adminGet<{ planned: Plan[]; next?: string }>(['lifecycle', bucket, 'dry-run'], { limit: page, until, cursor: next });
    plans.push(...got.planned);
    next = got.next;
    if (!next || plans.length - have >= page) break;
  }
  return { plans, next };
}

function Plans({ found, busy, more }: { found: Found; busy: boolean; more: () => void }) {
  const t = useT();
  const format = useFormat();
  const columns: Column<Plan>[] = [
    {
      id: 'key', title: t('ui.name'), sort: (p) => p.key,
      cell: (p) => (
        <Stack gap={0}>
          <span style={{ overflowWrap: 'anywhere' }} title={p.versionId ?? p.uploadId}>
            {p.key}
          </span>
          <Text size="sm" c="dimmed">
            {t(`lifecycle.act.${p.action}` satisfies Key)}
          </Text>
          {p.locked && <Text size="sm">{t('lifecycle.preview.locked')}</Text>}
        </Stack>
      ),
    },
    { id: 'due', title: t('lifecycle.preview.due'), sort: (p) => p.due, cell: (p) => <When value={p.due} /> },
    { id: 'rule', title: t('lifecycle.rule'), from: 'sm', sort: (p) => p.rule, cell: (p) => <span style={{ overflowWrap: 'anywhere' }}>{p.rule}</span> },
    { id: 'size', title: t('files.size'), from: 'sm', align: 'right', sort: (p) => p.size, cell: (p) => (p.deleteMarker ? '–' : format.bytes(p.size)) },
  ];
  const last = !found.next;
  return (
    <>
      {found.plans.length === 0 ? (
        last && <Text role="status">{t('lifecycle.preview.none')}</Text>
      ) : (
        <DataTable label={t('lifecycle.preview')} rows={found.plans} columns={columns} rowKey={(p) => [p.key, p.versionId, p.uploadId].join('\n')} />
      )}
      {!last && (
        <Group>
          <Text size="sm" c="dimmed" role="status">
            {found.plans.length === 0 ? t('lifecycle.preview.sofar') : t('lifecycle.preview.some', { n: found.plans.length })}
          </Text>
          <Button size="xs" variant="default" loading={busy} onClick={more}>
            {t('lifecycle.preview.more')}
          </Button>
        </Group>
      )}
    </>
  );
}
