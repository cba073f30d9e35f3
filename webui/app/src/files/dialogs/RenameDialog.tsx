import { Button, Checkbox, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { ApiError } from '../../api/http';
import { copyObject, deleteObject, head, listObjects, type Entry } from '../../api/s3';
import { baseName, parentPrefix } from '../../api/s3url';
import { useT } from '../../i18n';
import { Problem } from '../../ui/Problem';
import { useDone } from '../../ui/report';
import { copyWork } from '../jobs';
import { queue } from '../transfer/queue';

/** Renames an object or a folder, which in S3 is a copy and a deletion. */
export function RenameDialog({ bucket, entry, onClose, changed }: { bucket: string; entry: Entry; onClose: () => void; changed: () => void }) {
  const t = useT();
  const done = useDone();
  const [name, setName] = useState(baseName(entry.key));
  const [there, setThere] = useState(false);
  const [replace, setReplace] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const folder = entry.kind === 'prefix';
  const target = parentPrefix(entry.key) + name + (folder ? '/' : '');
  const rename = async () => {
    if (!replace && (await exists(bucket, target))) return setThere(true);
    if (folder) queue.run('move', bucket, `${entry.key} → ${target}`, copyWork(bucket, [entry], entry.key, { bucket, prefix: target }, true));
    else {
      await copyObject({ bucket, key: entry.key }, { bucket, key: target });
      await deleteObject(bucket, entry.key);
      done(t('files.renamed', { name }));
    }
    changed();
    onClose();
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (target === entry.key) return onClose();
    setBusy(true);
    setError(undefined);
    rename()
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return (
    <Modal opened onClose={onClose} title={t('files.rename')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={t('files.rename.name')} value={name} required withAsterisk={false} data-autofocus spellCheck={false}
            onChange={(e) => {
              setName(e.currentTarget.value);
              setThere(false);
              setReplace(false);
            }}
          />
          <Text size="sm" c="dimmed">
            {t(folder ? 'files.rename.folder' : 'files.rename.hint')}
          </Text>
          {there && <Checkbox label={t('files.rename.replace')} checked={replace} onChange={(e) => setReplace(e.currentTarget.checked)} />}
          {error !== undefined && <Problem error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={busy} disabled={name === '' || (there && !replace)}>
              {t('files.rename')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

async function exists(bucket: string, target: string): Promise<boolean> {
  if (target.endsWith('/')) return (await listObjects(bucket, target, { max: 1 })).entries.length > 0;
  try {
    await head(bucket, target);
    return true;
  } catch (e) {
    if (e instanceof ApiError && e.status === 404) return false;
    throw e;
  }
}
