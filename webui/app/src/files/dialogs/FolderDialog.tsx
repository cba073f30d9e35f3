import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useLocation } from 'wouter';
import { request } from '../../api/http';
import { s3URL } from '../../api/s3';
import { useT } from '../../i18n';
import { Problem } from '../../ui/Problem';
import { folderPath } from '../place';

/** Makes an empty folder: an object without content whose name ends in a slash. */
export function FolderDialog({ bucket, folder, onClose, changed }: { bucket: string; folder: string; onClose: () => void; changed: () => void }) {
  const t = useT();
  const [, go] = useLocation();
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const key = folder + name.replace(/\/+$/, '') + '/';
    setBusy(true);
    setError(undefined);
    request(s3URL(bucket, key), { method: 'PUT', headers: { 'If-None-Match': '*', 'Content-Type': 'application/x-directory' }, body: '' })
      .then(() => {
        changed();
        onClose();
        go(folderPath(bucket, key));
      }, setError)
      .finally(() => setBusy(false));
  };
  return (
    <Modal opened onClose={onClose} title={t('files.folder.new')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput label={t('ui.name')} description={t('files.folder.hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} data-autofocus spellCheck={false} />
          {error !== undefined && <Problem error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={busy} disabled={name.replaceAll('/', '') === ''}>
              {t('action.create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
