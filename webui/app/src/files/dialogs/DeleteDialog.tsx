import { Code, List, Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { deleteObjects, type Entry } from '../../api/s3';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { useDone } from '../../ui/report';
import { deleteWork, PartlyError } from '../jobs';
import { queue } from '../transfer/queue';

interface Props {
  bucket: string;
  /** Undefined when the user may not know. */
  versioned: boolean | undefined;
  entries: Entry[];
  onClose: () => void;
  changed: () => void;
}

/** Asks what the deletion of objects and folders shall mean, and does it; of folders in the queue. */
export function DeleteDialog({ bucket, versioned, entries, onClose, changed }: Props) {
  const t = useT();
  const done = useDone();
  const gone = entries.every((e) => e.kind === 'marker');
  const [how, setHow] = useState(gone ? 'all' : 'hide');
  const folders = entries.some((e) => e.kind === 'prefix');
  const versions = versioned === true && how === 'all';
  const run = async () => {
    if (folders || versions || entries.length > 1000) {
      queue.run('delete', bucket, entries.map((e) => e.key).slice(0, 3).join(', ') + (entries.length > 3 ? ' …' : ''), deleteWork(bucket, entries, versions));
      changed();
      return;
    }
    const wrong = await deleteObjects(bucket, entries.map((e) => ({ key: e.key })));
    changed();
    if (wrong.length > 0) throw new PartlyError(wrong.length, `${wrong[0]!.key}: ${wrong[0]!.message}`);
    done(t('files.deleted.done', { n: entries.length }));
  };
  return (
    <ConfirmDialog title={t('files.delete.title', { n: entries.length })} action={t('action.delete')} danger onConfirm={run} onClose={onClose}>
      <Stack gap="sm">
        <List size="md" spacing={2}>
          {entries.slice(0, 6).map((e) => (
            <List.Item key={e.key}>
              <Code style={{ overflowWrap: 'anywhere' }}>{e.key}</Code>
            </List.Item>
          ))}
          {entries.length > 6 && <List.Item>{t('files.more', { n: entries.length - 6 })}</List.Item>}
        </List>
        {folders && <Text>{t('files.delete.folders')}</Text>}
        {versioned ? (
          <Radio.Group value={how} onChange={setHow} label={t('files.delete.versioned')}>
            <Stack gap="xs" mt="xs">
              {!gone && <Radio value="hide" label={t('files.delete.hide')} description={t('files.delete.hide.hint')} />}
              <Radio value="all" label={t('files.delete.all')} description={t('files.delete.all.hint')} />
            </Stack>
          </Radio.Group>
        ) : (
          <Text fw={500}>{t(versioned === undefined ? 'files.delete.unknown' : 'files.delete.final')}</Text>
        )}
      </Stack>
    </ConfirmDialog>
  );
}
