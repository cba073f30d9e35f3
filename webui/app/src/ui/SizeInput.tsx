import { Group, NumberInput, Select } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useT } from '../i18n';
import { units, type Unit, splitBytes } from './format';

interface Props {
  label: string;
  description?: ReactNode;
  /** Bytes; undefined for none. */
  value: number | undefined;
  onChange: (bytes: number | undefined) => void;
  placeholder?: string;
  readOnly?: boolean;
  /** The unit to begin with where there is no value. */
  unit?: Unit;
}

/** A number of bytes, typed in a unit. */
export function SizeInput({ label, description, value, onChange, placeholder, readOnly = false, unit: first = 'GiB' }: Props) {
  const t = useT();
  const before = value === undefined ? undefined : splitBytes(value);
  const [count, setCount] = useState<number | string>(before?.count ?? '');
  const [unit, setUnit] = useState<Unit>(before?.unit ?? first);
  const set = (c: number | string, u: Unit) => {
    setCount(c);
    setUnit(u);
    onChange(c === '' ? undefined : Math.round(Number(c) * units[u]));
  };
  return (
    <Group align="flex-end" gap="xs" wrap="nowrap">
      <NumberInput label={label} description={description} value={count} onChange={(c) => set(c, unit)} min={0} placeholder={placeholder} w={180} readOnly={readOnly} />
      <Select aria-label={t('ui.unit', { label })} value={unit} onChange={(v) => v && set(count, v as Unit)} data={Object.keys(units)} w={90} allowDeselect={false} readOnly={readOnly} />
    </Group>
  );
}
