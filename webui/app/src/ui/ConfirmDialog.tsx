import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useT } from '../i18n';
import { Problem } from './Problem';

export interface ConfirmProps {
  title: string;
  children: ReactNode;
  /** What the button says. */
  action: string;
  danger?: boolean;
  /** A name that has to be typed first. */
  type?: string;
  /** Closes the dialog when it succeeds and shows the error when not. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something is done. It is open as long as it is mounted. */
export function ConfirmDialog({ title, children, action, danger, type, onConfirm, onClose }: ConfirmProps) {
  const t = useT();
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void confirm();
        }}
      >
        <Stack>
          <div>{children}</div>
          {type !== undefined && <TextInput label={t('ui.type', { text: type })} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} autoComplete="off" data-autofocus />}
          {error !== undefined && <Problem error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" color={danger ? 'red.9' : undefined} loading={busy} disabled={type !== undefined && typed !== type}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
