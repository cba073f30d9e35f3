import { Group, TextInput } from '@mantine/core';
import { IconEye, IconEyeOff } from '@tabler/icons-react';
import { ActionIcon } from '@mantine/core';
import { useState } from 'react';
import { useT } from '../i18n';
import { CopyButton } from './CopyButton';

/** A secret that the server has just made: hidden until asked for, and to be copied. */
export function SecretField({ label, value }: { label: string; value: string }) {
  const t = useT();
  const [shown, setShown] = useState(false);
  const name = shown ? t('action.hide.secret') : t('action.show.secret');
  return (
    <Group gap={6} align="flex-end" wrap="nowrap">
      <TextInput
        label={label}
        value={value}
        readOnly
        type={shown ? 'text' : 'password'}
        autoComplete="off"
        flex={1}
        ff="monospace"
        rightSection={
          <ActionIcon variant="subtle" color="gray" onClick={() => setShown(!shown)} aria-label={name} aria-pressed={shown}>
            {shown ? <IconEyeOff size={16} /> : <IconEye size={16} />}
          </ActionIcon>
        }
      />
      <CopyButton value={value} size="md" />
    </Group>
  );
}
