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
        <Asked query={setting}>
          {(doc) => (
            <Document
              key={doc} doc={doc === null ? null : indentXML(doc)} put={(text) => putSetting(bucket, name, text)} remove={() => deleteSetting(bucket, name)} saved={setting.refetch}
            />
          )}
        </Asked>
      ) : (
        <Unavailable />
      )}
    </>
  );
}

interface DocumentProps {
  /** The document for people, null when the setting was never made. */
  doc: string | null;
  put: (text: string) => Promise<unknown>;
  /** Takes the setting away, where that is another thing than an empty document. */
  remove?: () => Promise<unknown>;
  saved: () => unknown;
}

/** An editor of a setting's document. */
export function Document({ doc, put, remove, saved }: DocumentProps) {
  const t = useT();
  const before = doc ?? '';
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
        <Button onClick={() => void change.run(() => put(text))} loading={change.busy} disabled={text.trim() === '' || text === before}>
          {t('action.save')}
        </Button>
        {doc !== null && remove && (
          <Button variant="default" onClick={() => void change.run(remove)}>
            {t('action.delete')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}
