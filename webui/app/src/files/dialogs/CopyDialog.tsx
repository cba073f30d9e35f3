import { Autocomplete, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { listBuckets, type Entry } from '../../api/s3';
import { useT } from '../../i18n';
import { bucketsKey } from '../buckets';
import { copyWork } from '../jobs';
import { queue } from '../transfer/queue';

interface Props {
  bucket: string;
  folder: string;
  entries: Entry[];
  move: boolean;
  onClose: () => void;
}

/** Copies or moves to another folder or bucket, in the queue. */
export function CopyDialog({ bucket, folder, entries, move, onClose }: Props) {
  const t = useT();
  const buckets = useQuery({ queryKey: bucketsKey, queryFn: ({ signal }) => listBuckets(signal) });
  const [to, setTo] = useState(bucket);
  const [path, setPath] = useState(folder);
  const prefix = path === '' || path.endsWith('/') ? path : path + '/';
  const same = to === bucket && prefix === folder;
  const inside = to === bucket && entries.some((e) => e.kind === 'prefix' && prefix.startsWith(e.key));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    queue.run(move ? 'move' : 'copy', bucket, `${t('files.objects', { n: entries.length })} → ${to}/${prefix}`, copyWork(bucket, entries, folder, { bucket: to, prefix }, move), [bucket, to]);
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title={t(move ? 'files.move.title' : 'files.copy.title', { n: entries.length })} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <form onSubmit={submit}>
        <Stack>
          <Autocomplete label={t('files.copy.bucket')} value={to} onChange={setTo} data={(buckets.data ?? []).map((b) => b.name)} required withAsterisk={false} limit={50} />
          <TextInput label={t('files.copy.folder')} description={t('files.copy.folder.hint')} value={path} onChange={(e) => setPath(e.currentTarget.value)} spellCheck={false} data-autofocus error={inside ? t('files.copy.inside') : undefined} />
          <Text size="sm" c="dimmed">
            {t(move ? 'files.move.hint' : 'files.copy.hint')}
          </Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" disabled={same || inside || to === ''}>
              {t(move ? 'files.moveTo' : 'files.copyTo')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
