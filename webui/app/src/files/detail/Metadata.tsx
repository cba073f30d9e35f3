import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import { copyObject, type Head } from '../../api/s3';
import { useT } from '../../i18n';
import { Pairs, type Pair } from '../../ui/Pairs';
import { Problem } from '../../ui/Problem';
import { useDone } from '../../ui/report';

const editable = ['content-type', 'cache-control', 'content-encoding', 'content-language', 'expires'] as const;

interface Props {
  bucket: string;
  objectKey: string;
  version: string | undefined;
  info: Head;
  changed: () => void;
}

/** Headers and metadata of an object. S3 changes them by a copy onto itself. */
export function Metadata({ bucket, objectKey, version, info, changed }: Props) {
  const t = useT();
  const done = useDone();
  const before: Pair[] = Object.entries(info.metadata).map(([key, value]) => ({ key, value }));
  const [content, setContent] = useState<Record<string, string>>(info.content);
  const [pairs, setPairs] = useState(before);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = () => {
    setBusy(true);
    setError(undefined);
    const change = {
      metadata: Object.fromEntries(pairs.filter((p) => p.key !== '').map((p) => [p.key.toLowerCase(), p.value])),
      content: Object.fromEntries(Object.entries(content).filter(([, v]) => v !== '')),
    };
    copyObject({ bucket, key: objectKey, versionId: version }, { bucket, key: objectKey }, change)
      .then(() => {
        done(t('ui.saved'));
        changed();
      }, setError)
      .finally(() => setBusy(false));
  };
  return (
    <Stack>
      <Title order={3}>{t('metadata.headers')}</Title>
      <Stack gap="xs">
        {editable.map((name) => (
          <TextInput key={name} label={name} value={content[name] ?? ''} onChange={(e) => setContent({ ...content, [name]: e.currentTarget.value })} spellCheck={false} />
        ))}
      </Stack>
      <Title order={3}>{t('metadata.own')}</Title>
      <Pairs pairs={pairs} onChange={setPairs} max={50} />
      <Text size="sm" c="dimmed">
        {t('metadata.hint')}
      </Text>
      {error !== undefined && <Problem error={error} />}
      <Group>
        <Button onClick={save} loading={busy}>
          {t('action.save')}
        </Button>
      </Group>
    </Stack>
  );
}
