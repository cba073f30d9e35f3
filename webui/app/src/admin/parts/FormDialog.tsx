import { Button, Group, Modal, Stack } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState, type ReactNode } from 'react';
import { useT } from '../../i18n';
import { Problem } from '../../ui/Problem';
import { useChanged } from '../data';

interface Props {
  title: string;
  children: ReactNode;
  /** What the button says. */
  action: string;
  size?: string;
  disabled?: boolean;
  /** Closes the dialog when it succeeds and shows the error when not. */
  onSubmit: () => Promise<unknown>;
  onClose: () => void;
}

/** A form in a dialog. It is open as long as it is mounted; what a form changes is asked for anew. */
export function FormDialog({ title, children, action, size = 'lg', disabled, onSubmit, onClose }: Props) {
  const t = useT();
  const changed = useChanged();
  const narrow = useMediaQuery('(max-width: 36em)') ?? false;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit();
      await changed();
      onClose();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={title} size={size} fullScreen={narrow} closeButtonProps={{ 'aria-label': t('action.close') }} closeOnClickOutside={false}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          e.stopPropagation();
          void submit();
        }}
      >
        <Stack>
          {children}
          {error !== undefined && <Problem error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={busy} disabled={disabled ?? false}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
