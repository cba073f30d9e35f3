import { Button, Group, Loader, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { getTags, setTags } from '../../api/s3';
import { useT } from '../../i18n';
import { Pairs, type Pair } from '../../ui/Pairs';
import { Problem } from '../../ui/Problem';
import { useDone } from '../../ui/report';

/** Tags of an object, or of a bucket when the key is ''. */
export function Tags({ bucket, objectKey, version }: { bucket: string; objectKey: string; version?: string | undefined }) {
  const t = useT();
  const tags = useQuery({ queryKey: ['tags', bucket, objectKey, version ?? ''], queryFn: ({ signal }) => getTags(bucket, objectKey, version, signal), retry: false });
  if (tags.error) return <Problem error={tags.error} retry={() => void tags.refetch()} />;
  if (!tags.data) return <Loader role="status" aria-label={t('ui.loading')} />;
  return <Editor key={tags.dataUpdatedAt} initial={tags.data} max={objectKey === '' ? 50 : 10} save={async (list) => (await setTags(bucket, objectKey, list, version), await tags.refetch())} />;
}

function Editor({ initial, max, save }: { initial: Pair[]; max: number; save: (list: Pair[]) => Promise<unknown> }) {
  const t = useT();
  const done = useDone();
  const [pairs, setPairs] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const clean = pairs.filter((p) => p.key !== '');
  const same = JSON.stringify(clean) === JSON.stringify(initial);
  const submit = () => {
    setBusy(true);
    setError(undefined);
    save(clean)
      .then(() => done(t('ui.saved')), setError)
      .finally(() => setBusy(false));
  };
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t('tags.hint', { n: max })}
      </Text>
      <Pairs pairs={pairs} onChange={setPairs} max={max} keyLimit={128} valueLimit={256} />
      {error !== undefined && <Problem error={error} />}
      <Group>
        <Button onClick={submit} loading={busy} disabled={same}>
          {t('action.save')}
        </Button>
      </Group>
    </Stack>
  );
}
