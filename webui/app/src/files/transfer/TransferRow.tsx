import { ActionIcon, Button, Group, Progress, Text, Tooltip } from '@mantine/core';
import {
  IconAlertCircle, IconArrowBackUp, IconBan, IconCircleCheck, IconCopy, IconFolderSymlink, IconPlayerPause, IconPlayerPlay, IconRefresh, IconTrash, IconUpload, IconX, type Icon,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ApiError } from '../../api/http';
import { useT, type Key } from '../../i18n';
import { useFormat } from '../../ui/format';
import { errorText } from '../../ui/Problem';
import { PartlyError } from '../jobs';
import { queue, type Item, type State } from './queue';

const icons: Record<Item['kind'], Icon> = { upload: IconUpload, delete: IconTrash, copy: IconCopy, move: IconFolderSymlink, restore: IconArrowBackUp };
const states: Record<State, Key> = {
  waiting: 'transfer.state.waiting', running: 'transfer.state.running', paused: 'transfer.state.paused', exists: 'transfer.state.exists', login: 'transfer.state.login',
  done: 'transfer.state.done', failed: 'transfer.state.failed', cancelled: 'transfer.state.cancelled',
};

/** One line of the queue. */
export function TransferRow({ item }: { item: Item }) {
  const t = useT();
  const Shape = item.state === 'done' ? IconCircleCheck : item.state === 'failed' ? IconAlertCircle : item.state === 'cancelled' ? IconBan : icons[item.kind];
  const colour = item.state === 'done' ? 'var(--mantine-color-teal-7)' : item.state === 'failed' ? 'var(--mantine-color-error)' : 'var(--mantine-color-dimmed)';
  return (
    <div style={{ padding: '7px 12px', minHeight: 52 }}>
      <Group gap={10} wrap="nowrap">
        <Shape size={18} color={colour} stroke={1.7} aria-hidden style={{ flex: 'none' }} />
        <div style={{ flex: 1, minWidth: 0 }}>
          <Text size="md" truncate title={`${item.bucket}/${item.name}`}>
            {item.kind === 'upload' ? item.name.slice(item.name.lastIndexOf('/') + 1) : `${t(`transfer.kind.${item.kind}`)}: ${item.name}`}
          </Text>
          <Text size="xs" c={item.state === 'failed' ? 'red.9' : 'dimmed'} style={{ overflowWrap: 'anywhere', ...(item.state === 'failed' && { color: 'var(--mantine-color-error)' }) }}>
            <Progressed item={item} />
          </Text>
        </div>
        <Buttons item={item} />
      </Group>
      {item.state === 'running' && item.kind === 'upload' && <Progress value={item.size === 0 ? 0 : (item.done / item.size) * 100} size={3} mt={5} aria-label={item.name} />}
    </div>
  );
}

function Progressed({ item }: { item: Item }) {
  const t = useT();
  const format = useFormat();
  if (item.state === 'failed') {
    if (item.error instanceof PartlyError) return <>{t('transfer.partly', { n: item.error.failed, first: item.error.first })}</>;
    const id = item.error instanceof ApiError ? item.error.requestId : '';
    return <>{errorText(item.error, t) + (id ? ` · ${t('error.id', { id })}` : '')}</>;
  }
  const state = t(states[item.state]);
  if (item.kind !== 'upload') return <>{item.done > 0 ? `${state} · ${t('files.objects', { n: item.done })}` : state}</>;
  const size = item.state === 'running' || item.state === 'paused' ? `${format.bytes(item.done)} / ${format.bytes(item.size)}` : format.bytes(item.size);
  return <>{`${state} · ${size}`}</>;
}

function Buttons({ item }: { item: Item }) {
  const t = useT();
  const button = (label: Key, icon: ReactNode, act: () => void) => (
    <Tooltip label={t(label)} key={label}>
      <ActionIcon variant="subtle" color="gray" size="sm" onClick={act} aria-label={`${t(label)}: ${item.name}`}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
  const cancel = button('action.cancel', <IconX size={16} />, () => queue.cancel(item.id));
  switch (item.state) {
    case 'exists':
      return (
        <Group gap={4} wrap="nowrap">
          <Button size="compact-xs" variant="light" onClick={() => queue.resume(item.id, true)}>
            {t('transfer.replace')}
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => queue.cancel(item.id)}>
            {t('transfer.skip')}
          </Button>
        </Group>
      );
    case 'running':
    case 'waiting':
    case 'login':
      return (
        <Group gap={2} wrap="nowrap">
          {item.kind === 'upload' && button('transfer.pause', <IconPlayerPause size={16} />, () => queue.pause(item.id))}
          {cancel}
        </Group>
      );
    case 'paused':
      return (
        <Group gap={2} wrap="nowrap">
          {button('transfer.resume', <IconPlayerPlay size={16} />, () => queue.resume(item.id))}
          {cancel}
        </Group>
      );
    case 'failed':
      return button('error.retry', <IconRefresh size={16} />, () => queue.resume(item.id));
    default:
      return null;
  }
}
