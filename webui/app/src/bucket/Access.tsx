import { Alert, Badge, Button, Group, Radio, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState } from 'react';
import { deleteSetting, putSetting } from '../api/s3';
import { useT, type Key } from '../i18n';
import { readLevel, writeLevel, type Level, type Policy } from './anonymous';
import { PublicBlock } from './ownership/PublicBlock';
import { SectionHead, type SectionProps } from './Section';
import { Asked, useChange, useSetting } from './setting';

const levels: { id: Level; label: Key; hint: Key }[] = [
  { id: 'none', label: 'access.none', hint: 'access.none.hint' },
  { id: 'download', label: 'access.download', hint: 'access.download.hint' },
  { id: 'upload', label: 'access.upload', hint: 'access.upload.hint' },
  { id: 'public', label: 'access.public', hint: 'access.public.hint' },
];

/** What anybody may do without an account: one choice, kept as plain statements of the bucket's policy. */
export function Access({ bucket }: SectionProps) {
  const policy = useSetting(bucket, 'policy');
  return (
    <>
      <SectionHead title="bucket.access" hint="access.hint" />
      <Asked query={policy}>{(doc) => <Choice key={doc} bucket={bucket} policy={doc === null ? null : (JSON.parse(doc) as Policy)} saved={policy.refetch} />}</Asked>
      <PublicBlock bucket={bucket} />
    </>
  );
}

function Choice({ bucket, policy, saved }: { bucket: string; policy: Policy | null; saved: () => unknown }) {
  const t = useT();
  const { level, further } = readLevel(policy, bucket);
  const [want, setWant] = useState(level);
  const change = useChange(saved);
  const save = async () => {
    const next = writeLevel(policy, bucket, want);
    await (next === null ? deleteSetting(bucket, 'policy') : putSetting(bucket, 'policy', JSON.stringify(next)));
  };
  return (
    <Stack>
      <Group gap="xs">
        <Text>{t('access.now')}</Text>
        <Badge size="lg" variant="filled" color={level === 'none' ? 'gray.7' : 'red.9'}>
          {t(levels.find((l) => l.id === level)!.label)}
        </Badge>
      </Group>
      {further && (
        <Alert color="orange" icon={<IconAlertTriangle aria-hidden />}>
          {t('access.further')}
        </Alert>
      )}
      <Radio.Group value={want} onChange={(v) => setWant(v as Level)} aria-label={t('bucket.access')}>
        <Stack gap="sm">
          {levels.map((l) => (
            <Radio key={l.id} value={l.id} label={t(l.label)} description={t(l.hint)} color={l.id === 'none' ? undefined : 'red.9'} />
          ))}
        </Stack>
      </Radio.Group>
      {change.problem}
      <Group>
        <Button onClick={() => void change.run(save)} loading={change.busy} disabled={want === level} color={want === 'none' ? undefined : 'red.9'}>
          {t('action.apply')}
        </Button>
      </Group>
    </Stack>
  );
}
