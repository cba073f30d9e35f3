import { ActionIcon, Anchor, Group, Text, TextInput, Tooltip } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useT } from '../i18n';
import { CopyButton } from '../ui/CopyButton';
import { folderPath } from './place';

/** Where one is, as links, or as a text to type. */
export function PathBar({ bucket, folder }: { bucket: string; folder: string }) {
  const t = useT();
  const [typing, setTyping] = useState(false);
  if (typing) return <PathInput bucket={bucket} folder={folder} onClose={() => setTyping(false)} />;
  const parts = folder.split('/').slice(0, -1);
  return (
    <Group gap={4} wrap="nowrap" miw={0} style={{ overflow: 'hidden' }}>
      <nav aria-label={t('files.path')} style={{ minWidth: 0, overflow: 'hidden' }}>
        <Group component="ol" gap={2} m={0} p={0} style={{ listStyle: 'none', rowGap: 0 }}>
          <Step href="/buckets" name={t('nav.buckets')} />
          <Step href={folderPath(bucket, '')} name={bucket} here={parts.length === 0} />
          {parts.map((name, i) => (
            <Step key={i} href={folderPath(bucket, parts.slice(0, i + 1).join('/') + '/')} name={name || '∅'} here={i === parts.length - 1} />
          ))}
        </Group>
      </nav>
      <Tooltip label={t('files.path.type')}>
        <ActionIcon variant="subtle" color="gray" size={26} onClick={() => setTyping(true)} aria-label={t('files.path.type')}>
          <IconPencil size={15} />
        </ActionIcon>
      </Tooltip>
      <CopyButton value={`${bucket}/${folder}`} label={t('files.path.copy')} />
    </Group>
  );
}

function Step({ href, name, here }: { href: string; name: string; here?: boolean }) {
  return (
    <li style={{ display: 'flex', alignItems: 'center', gap: 2, minWidth: 0 }}>
      {href !== '/buckets' && (
        <Text span c="dimmed" px={3} aria-hidden>
          /
        </Text>
      )}
      <Anchor component={Link} href={href} c={here ? undefined : 'dimmed'} fw={here ? 600 : 400} size="lg" truncate miw={24} maw={260} aria-current={here ? 'location' : undefined} style={here ? { color: 'inherit' } : undefined}>
        {name}
      </Anchor>
    </li>
  );
}

function PathInput({ bucket, folder, onClose }: { bucket: string; folder: string; onClose: () => void }) {
  const t = useT();
  const [, go] = useLocation();
  const [text, setText] = useState(`${bucket}/${folder}`);
  return (
    <form
      style={{ flex: 1 }}
      onSubmit={(e) => {
        e.preventDefault();
        const [b = '', ...rest] = text.trim().split('/');
        if (b) go(folderPath(b, rest.join('/')));
        onClose();
      }}
    >
      <TextInput
        aria-label={t('files.path.type')} value={text} onChange={(e) => setText(e.currentTarget.value)} autoFocus onBlur={onClose} spellCheck={false}
        onKeyDown={(e) => e.key === 'Escape' && onClose()} ff="monospace"
      />
    </form>
  );
}
