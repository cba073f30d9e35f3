import { notifications } from '@mantine/notifications';
import { useCallback } from 'react';
import { useT } from '../i18n';
import { ErrorBody } from './Problem';

/** Returns what tells the user of an error in passing: it stays until closed. */
export function useReport(): (error: unknown, title?: string) => void {
  const t = useT();
  return useCallback(
    (error, title) => {
      if (error instanceof DOMException && error.name === 'AbortError') return;
      notifications.show({
        color: 'red', title: title ?? t('error.title'), message: <ErrorBody error={error} />, autoClose: false, withBorder: true, role: 'alert', closeButtonProps: { 'aria-label': t('action.close') },
      });
    },
    [t],
  );
}

/** Returns what tells the user that something was done: it goes by itself. */
export function useDone(): (message: string) => void {
  const t = useT();
  return useCallback(
    (message) => {
      notifications.show({ color: 'teal', message, autoClose: 4000, withBorder: true, closeButtonProps: { 'aria-label': t('action.close') } });
    },
    [t],
  );
}
