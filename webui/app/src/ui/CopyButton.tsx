import { ActionIcon, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useT } from '../i18n';

// Nothing to click is smaller than 24 pixels.
const sizes = { xs: 24, sm: 26, md: 36 };

/** Copies a text; works over plain HTTP too, where the clipboard has no modern interface. */
export function CopyButton({ value, label, size = 'sm' }: { value: string; label?: string; size?: 'xs' | 'sm' | 'md' }) {
  const t = useT();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  const name = copied ? t('action.copied') : (label ?? t('action.copy'));
  const act = () => {
    if (!window.isSecureContext) setCopied(copyByField(value));
    else
      void navigator.clipboard.writeText(value).then(
        () => setCopied(true),
        () => setCopied(copyByField(value)),
      );
  };
  return (
    <Tooltip label={name}>
      <ActionIcon variant="subtle" color={copied ? 'teal' : 'gray'} size={sizes[size]} onClick={act} aria-label={name}>
        {copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** Copies by selecting a field, and says whether that worked. */
export function copyByField(value: string): boolean {
  const field = document.createElement('textarea');
  field.value = value;
  field.style.position = 'fixed';
  field.style.opacity = '0';
  (document.activeElement?.closest('[role=dialog]') ?? document.body).append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}
