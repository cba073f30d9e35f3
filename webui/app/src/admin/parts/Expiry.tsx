import { Group, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useT } from '../../i18n';

const days = [1, 7, 30, 90, 365];

/** The value of an input of date and time, in the place's own time. */
export function toLocal(rfc: string): string {
  const d = new Date(rfc);
  if (rfc === '' || Number.isNaN(d.getTime())) return '';
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** When something ends: '' is never. Choices are counted from when they are made. */
export function Expiry({ value, onChange }: { value: string; onChange: (rfc: string) => void }) {
  const t = useT();
  const [choice, setChoice] = useState(value === '' ? 'never' : 'custom');
  const pick = (c: string) => {
    setChoice(c);
    if (c === 'never') onChange('');
    else if (c === 'custom') onChange(value || new Date(Date.now() + 30 * 86400_000).toISOString());
    else onChange(new Date(Date.now() + Number(c) * 86400_000).toISOString());
  };
  return (
    <Group align="flex-end" gap="xs">
      <NativeSelect
        label={t('admin.expires')}
        value={choice}
        onChange={(e) => pick(e.currentTarget.value)}
        data={[{ value: 'never', label: t('ui.never') }, ...days.map((n) => ({ value: String(n), label: t('admin.inDays', { n }) })), { value: 'custom', label: t('admin.expires.custom') }]}
      />
      {choice === 'custom' && (
        <TextInput
          type="datetime-local"
          aria-label={t('admin.expires.at')}
          value={toLocal(value)}
          onChange={(e) => {
            const d = new Date(e.currentTarget.value);
            if (!Number.isNaN(d.getTime())) onChange(d.toISOString());
          }}
          required
        />
      )}
    </Group>
  );
}
