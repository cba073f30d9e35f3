import { Button, Group, NumberInput, Progress, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { adminGet, adminSend } from '../api/admin';
import { useSession } from '../app/session';
import { useT } from '../i18n';
import { useFormat } from '../ui/format';
import { SizeInput } from '../ui/SizeInput';
import { SectionHead, type SectionProps } from './Section';
import { Asked, useChange } from './setting';
import { Unavailable } from './Unavailable';

/** The bounds of a bucket, 0 for none, and what it holds. */
interface Bounds {
  quota: number;
  used: number;
  objects: number;
  usedObjects: number;
}

/** How many bytes and how many objects the bucket may hold. */
export function Quota({ bucket }: SectionProps) {
  const { server } = useSession();
  const quota = useQuery({ queryKey: ['bucket', bucket, 'quota'], queryFn: ({ signal }) => adminGet<Bounds>(['buckets', bucket, 'quota'], {}, signal), retry: false, enabled: !server.gateway });
  return (
    <>
      <SectionHead title="bucket.quota" hint="quota.hint" />
      {server.gateway ? <Unavailable why="quota.gateway" /> : <Asked query={quota}>{(q) => <Form key={`${q.quota} ${q.objects}`} bucket={bucket} now={q} saved={quota.refetch} />}</Asked>}
    </>
  );
}

/** The requests that lead from some bounds to others; each names what it changes, so that the other bound stays. */
export function quotaRequests(now: Pick<Bounds, 'quota' | 'objects'>, want: Pick<Bounds, 'quota' | 'objects'>): { method: 'PUT' | 'DELETE'; body?: Record<string, number>; of?: string }[] {
  const changed = (['quota', 'objects'] as const).filter((b) => want[b] !== now[b]);
  const set = Object.fromEntries(changed.filter((b) => want[b] > 0).map((b) => [b, want[b]]));
  return [
    ...(Object.keys(set).length > 0 ? [{ method: 'PUT' as const, body: set }] : []),
    ...changed.filter((b) => want[b] === 0).map((b) => ({ method: 'DELETE' as const, of: b })),
  ];
}

function Form({ bucket, now, saved }: { bucket: string; now: Bounds; saved: () => unknown }) {
  const t = useT();
  const format = useFormat();
  const { may } = useSession();
  const [quota, setQuota] = useState(now.quota);
  const [objects, setObjects] = useState(now.objects);
  const change = useChange(saved);
  const mine = may('admin:SetBucketQuota');
  const save = async () => {
    for (const r of quotaRequests(now, { quota, objects })) await adminSend(r.method, ['buckets', bucket, 'quota'], r.body, { of: r.of });
  };
  return (
    <Stack>
      <Used label={t('quota.used')} used={now.used} bound={now.quota} show={format.bytes} />
      <Used label={t('quota.used.objects')} used={now.usedObjects} bound={now.objects} show={format.number} />
      <SizeInput label={t('quota.bytes')} value={now.quota || undefined} onChange={(v) => setQuota(v ?? 0)} placeholder={t('quota.none')} readOnly={!mine} />
      <NumberInput
        label={t('quota.objects')} description={t('quota.objects.hint')} value={objects || ''} onChange={(v) => setObjects(Number(v))} min={0} max={Number.MAX_SAFE_INTEGER} allowDecimal={false} thousandSeparator=" "
        placeholder={t('quota.none')} maw={278} readOnly={!mine}
      />
      {change.problem}
      {mine && (
        <Group>
          <Button loading={change.busy} disabled={quota === now.quota && objects === now.objects} onClick={() => void change.run(save)}>
            {t('action.save')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function Used({ label, used, bound, show }: { label: string; used: number; bound: number; show: (n: number) => string }) {
  return (
    <div>
      <Text>
        {label} {show(used)}
        {bound > 0 && <> / {show(bound)}</>}
      </Text>
      {bound > 0 && <Progress value={Math.min(100, (used / bound) * 100)} color={used >= bound ? 'red.9' : undefined} mt={6} maw={420} aria-label={label} />}
    </div>
  );
}
