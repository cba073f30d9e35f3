import { Autocomplete, Button, CloseButton, Group, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import { useT } from '../../i18n';
import { person } from '../names';
import classes from './parts.module.css';

/** The readable part of a name; the whole one is behind it. */
function Name({ name, to }: { name: string; to?: ((name: string) => string) | undefined }) {
  const text = person(name).name;
  const title = text === name ? undefined : name;
  return to ? (
    <Link href={to(name)} title={title}>
      {text}
    </Link>
  ) : (
    <span title={title}>{text}</span>
  );
}

/** Names as small tags that lead somewhere; the first few when there are many. */
export function Names({ names, to, limit = 3 }: { names: string[]; to?: (name: string) => string; limit?: number }) {
  const t = useT();
  if (names.length === 0) return <Text span c="dimmed" size="md">–</Text>;
  return (
    <Group gap={4} component="span" display="inline-flex">
      {names.slice(0, limit).map((n) => (
        <span key={n} className={`${classes.tag} ${classes.plain}`}>
          <Name name={n} to={to} />
        </span>
      ))}
      {names.length > limit && (
        <Text span size="sm" c="dimmed" title={names.slice(limit).join('\n')}>
          {t('admin.more', { n: names.length - limit })}
        </Text>
      )}
    </Group>
  );
}

interface Props {
  names: string[];
  /** What may be added; others can be typed. */
  options: string[];
  label: string;
  placeholder: string;
  empty: string;
  show?: (name: string) => ReactNode;
  /** How an option reads in the list. */
  to?: ((name: string) => string) | undefined;
  onAdd?: ((name: string) => Promise<unknown>) | undefined;
  onRemove?: ((name: string) => void) | undefined;
}

/** A set of names to which some are added and from which some are taken. */
export function NameSet({ names, options, label, placeholder, empty, show, to, onAdd, onRemove }: Props) {
  const t = useT();
  const [word, setWord] = useState('');
  const [busy, setBusy] = useState(false);
  const add = async (name: string) => {
    if (!onAdd || name.trim() === '') return;
    setBusy(true);
    if (await onAdd(name.trim())) setWord('');
    setBusy(false);
  };
  return (
    <div>
      <Group gap={6} component="ul" p={0} m={0} style={{ listStyle: 'none' }} aria-label={label}>
        {names.length === 0 && (
          <Text component="li" c="dimmed" size="md">
            {empty}
          </Text>
        )}
        {names.map((n) => (
          <li key={n} className={onRemove ? classes.tag : `${classes.tag} ${classes.plain}`}>
            {show ? show(n) : <Name name={n} to={to} />}
            {onRemove && <CloseButton size="xs" aria-label={t('admin.removeName', { name: n })} onClick={() => onRemove(n)} />}
          </li>
        ))}
      </Group>
      {onAdd && (
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void add(word);
          }}
        >
          <Group gap="xs" mt="sm" wrap="nowrap">
            <Autocomplete
              aria-label={label + ': ' + placeholder}
              placeholder={placeholder}
              value={word}
              onChange={setWord}
              data={options.filter((o) => !names.includes(o))}
              limit={50}
              w={{ base: '100%', xs: 320 }}
              size="sm"
            />
            <Button type="submit" variant="default" size="sm" style={{ flex: 'none' }} loading={busy} disabled={word.trim() === ''}>
              {t('action.add')}
            </Button>
          </Group>
        </form>
      )}
    </div>
  );
}
