import { useFormat } from './format';

/** A size for people, with the exact number behind it. */
export function ByteSize({ value }: { value: number }) {
  const format = useFormat();
  return (
    <span title={`${format.number(value)} B`} style={{ fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' }}>
      {format.bytes(value)}
    </span>
  );
}
