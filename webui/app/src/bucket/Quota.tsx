import { Button, Group, NumberInput, Progress, Select, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { adminGet, adminSend } from '../api/admin';
import { ApiError } from '../api/http';
import { useSession } from '../app/session';
import { useT } from '../i18n';
import { ByteSize } from '../ui/ByteSize';
import { SectionHead, type SectionProps } from './Section';
import { Asked, useChange } from './setting';
import { Unavailable } from './Unavailable';

const units = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
type Unit = keyof typeof units;

/** How many bytes the bucket may hold. */
export function Quota({ bucket }: SectionProps) {
  const quota = useQuery({ queryKey: ['bucket', bucket, 'quota'], queryFn: ({ signal }) => adminGet<{ quota?: number; used?: number }>(['buckets', bucket, 'quota'], {}, signal), retry: false });
  const missing = quota.error instanceof ApiError && quota.error.code === 'NoSuchRoute';
  return (
    <>
      <SectionHead title="bucket.quota" hint="quota.hint" />
      {missing ? <Unavailable /> : <Asked query={quota}>{(q) => <Form key={q.quota} bucket={bucket} now={q.quota ?? 0} used={q.used} saved={quota.refetch} />}</Asked>}
    </>
  );
}

// split shows a number of bytes in the largest unit that divides it.
function split(bytes: number): { count: number; unit: Unit } {
  for (const unit of ['TiB', 'GiB', 'MiB'] as const) if (bytes % units[unit] === 0) return { count: bytes / units[unit], unit };
  return { count: bytes / units.KiB, unit: 'KiB' };
}

function Form({ bucket, now, used, saved }: { bucket: string; now: number; used: number | undefined; saved: () => unknown }) {
  const t = useT();
  const { may } = useSession();
  const first = now > 0 ? split(now) : undefined;
  const [count, setCount] = useState<number | string>(first?.count ?? '');
  const [unit, setUnit] = useState<Unit>(first?.unit ?? 'GiB');
  const change = useChange(saved);
  const bytes = count === '' ? 0 : Math.round(Number(count) * units[unit]);
  const mine = may('admin:SetBucketQuota');
  return (
    <Stack>
      {used !== undefined && (
        <div>
          <Text>
            {t('quota.used')} <ByteSize value={used} />
          </Text>
          {now > 0 && <Progress value={Math.min(100, (used / now) * 100)} color={used >= now ? 'red.9' : undefined} mt={6} maw={420} aria-label={t('quota.used')} />}
        </div>
      )}
      <Group align="flex-end">
        <NumberInput label={t('bucket.quota')} value={count} onChange={setCount} min={0} placeholder={t('quota.none')} w={180} readOnly={!mine} />
        <Select aria-label={t('quota.unit')} value={unit} onChange={(v) => v && setUnit(v as Unit)} data={Object.keys(units)} w={90} allowDeselect={false} readOnly={!mine} />
      </Group>
      {change.problem}
      {mine && (
        <Group>
          <Button
            loading={change.busy} disabled={bytes === now}
            onClick={() => void change.run(() => (bytes === 0 ? adminSend('DELETE', ['buckets', bucket, 'quota']) : adminSend('PUT', ['buckets', bucket, 'quota'], { quota: bytes })))}
          >
            {t('action.save')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
