import { Button, Group, Stack, Textarea, Text } from '@mantine/core';
import { useState } from 'react';
import { deleteSetting, putSetting } from '../api/s3';
import { useSession } from '../app/session';
import { useT, type Key } from '../i18n';
import { SectionHead } from './Section';
import { indentXML } from './documents';
import { Asked, useChange, useSetting } from './setting';
import { Unavailable } from './Unavailable';

interface Props {
  bucket: string;
  /** The sub-resource, and the operation that sets it. */
  name: string;
  operation: string;
  title: Key;
  hint: Key;
}

/** A setting that has no form here: its XML document as the server has it, where the server has it at all. */
export function RawSetting({ bucket, name, operation, title, hint }: Props) {
  const { has } = useSession();
  const setting = useSetting(bucket, name);
  return (
    <>
      <SectionHead title={title} hint={hint} />
      {has(operation) ? (
        <Asked query={setting}>{(doc) => <Document key={doc} bucket={bucket} name={name} doc={doc} saved={setting.refetch} />}</Asked>
      ) : (
        <Unavailable />
      )}
    </>
  );
}

function Document({ bucket, name, doc, saved }: { bucket: string; name: string; doc: string | null; saved: () => unknown }) {
  const t = useT();
  const before = doc === null ? '' : indentXML(doc);
  const [text, setText] = useState(before);
  const change = useChange(saved);
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t('raw.hint')}
      </Text>
      <Textarea aria-label={t('raw.document')} value={text} onChange={(e) => setText(e.currentTarget.value)} autosize minRows={10} maxRows={26} ff="monospace" spellCheck={false} placeholder={t('raw.none')} />
      {change.problem}
      <Group>
        <Button onClick={() => void change.run(() => putSetting(bucket, name, text))} loading={change.busy} disabled={text.trim() === '' || text === before}>
          {t('action.save')}
        </Button>
        {doc !== null && name !== 'notification' && (
          <Button variant="default" onClick={() => void change.run(() => deleteSetting(bucket, name))}>
            {t('action.delete')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}
