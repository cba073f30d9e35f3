import { ActionIcon, Affix, Box, Button, Group, Paper, Progress, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { IconAlertCircle, IconChevronDown, IconChevronUp, IconPlayerPause, IconPlayerPlay, IconX } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useSession, useSessionQuery } from '../../app/session';
import { useT } from '../../i18n';
import { formatSeconds, useFormat } from '../../ui/format';
import { TransferRow } from './TransferRow';
import { ended, queue, type Snapshot } from './queue';

/** What is going on in the queue, in a corner of every page. */
export function TransferPanel() {
  const { login } = useSession();
  // Each answer that somebody is logged in wakes what waits for that.
  const { dataUpdatedAt } = useSessionQuery();
  useEffect(() => queue.login(login.qualifiedName), [login.qualifiedName, dataUpdatedAt]);
  const state = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const [open, setOpen] = useState(true);
  if (state.items.length === 0) return null;
  return (
    <Affix position={{ bottom: 12, right: 12 }} zIndex={150} w="min(440px, calc(100vw - 24px))">
      <Paper shadow="lg" style={{ border: '1px solid var(--app-line)', overflow: 'hidden' }} role="region" aria-label={useLabel()}>
        <Header state={state} open={open} onToggle={() => setOpen(!open)} />
        {open && (
          <>
            <List state={state} />
            <Actions state={state} />
          </>
        )}
      </Paper>
    </Affix>
  );
}

const useLabel = () => useT()('transfer.title');

function Header({ state, open, onToggle }: { state: Snapshot; open: boolean; onToggle: () => void }) {
  const t = useT();
  const format = useFormat();
  const left = state.items.filter((i) => !ended(i)).length;
  const failed = state.items.some((i) => i.state === 'failed');
  const title = left > 0 ? t('transfer.active', { n: left }) : failed ? t('transfer.failed') : t('transfer.done');
  return (
    <Box bg="var(--app-side)" style={{ borderBottom: open ? '1px solid var(--app-line)' : 'none' }}>
      <Group gap="xs" px="sm" py={8} wrap="nowrap">
        {failed && <IconAlertCircle size={18} color="var(--mantine-color-error)" aria-hidden />}
        <UnstyledButton onClick={onToggle} flex={1} aria-expanded={open}>
          <Text fw={600} size="md" role="status">
            {title}
          </Text>
          {state.bytes > 0 && (
            <Text size="xs" c="dimmed" style={{ fontVariantNumeric: 'tabular-nums' }}>
              {format.bytes(state.sent)} / {format.bytes(state.bytes)} · {format.bytes(state.speed)}/s · {formatSeconds((state.bytes - state.sent) / state.speed)}
            </Text>
          )}
        </UnstyledButton>
        <ActionIcon variant="subtle" color="gray" onClick={onToggle} aria-label={t(open ? 'transfer.collapse' : 'transfer.expand')}>
          {open ? <IconChevronDown size={18} /> : <IconChevronUp size={18} />}
        </ActionIcon>
        {left === 0 && (
          <ActionIcon variant="subtle" color="gray" onClick={queue.clear} aria-label={t('transfer.clear')}>
            <IconX size={18} />
          </ActionIcon>
        )}
      </Group>
      {state.bytes > 0 && <Progress value={(state.sent / state.bytes) * 100} size={3} radius={0} aria-label={t('transfer.progress')} />}
    </Box>
  );
}

function List({ state }: { state: Snapshot }) {
  const t = useT();
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: state.items.length, getScrollElement: () => scroll.current, estimateSize: () => 52, overscan: 6 });
  return (
    <div ref={scroll} style={{ maxHeight: 270, overflowY: 'auto' }} tabIndex={0} role="group" aria-label={t('transfer.title')}>
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((v) => (
          <div key={v.key} ref={virtual.measureElement} data-index={v.index} style={{ position: 'absolute', left: 0, right: 0, top: 0, transform: `translateY(${v.start}px)` }}>
            <TransferRow item={state.items[v.index]!} />
          </div>
        ))}
      </div>
    </div>
  );
}

function Actions({ state }: { state: Snapshot }) {
  const t = useT();
  const exists = state.items.filter((i) => i.state === 'exists').length;
  const running = state.items.some((i) => i.kind === 'upload' && (i.state === 'running' || i.state === 'waiting'));
  const paused = state.items.some((i) => i.state === 'paused' || i.state === 'failed');
  const left = state.items.some((i) => !ended(i));
  return (
    <Group gap={6} px="sm" py={8} style={{ borderTop: '1px solid var(--app-line)' }}>
      {exists > 1 && (
        <>
          <Button size="xs" variant="light" onClick={queue.replaceAll}>
            {t('transfer.replaceAll')}
          </Button>
          <Button size="xs" variant="default" onClick={queue.skipAll}>
            {t('transfer.skipAll')}
          </Button>
        </>
      )}
      <Group gap={4} ml="auto">
        {running && <Small icon={<IconPlayerPause size={16} />} label={t('transfer.pauseAll')} onClick={queue.pauseAll} />}
        {paused && <Small icon={<IconPlayerPlay size={16} />} label={t('transfer.resumeAll')} onClick={queue.resumeAll} />}
        {left && (
          <Button size="xs" variant="subtle" color="gray" c="inherit" onClick={queue.cancelAll}>
            {t('transfer.cancelAll')}
          </Button>
        )}
        {state.items.some(ended) && (
          <Button size="xs" variant="subtle" color="gray" c="inherit" onClick={queue.clear}>
            {t('transfer.clear')}
          </Button>
        )}
      </Group>
    </Group>
  );
}

function Small({ icon, label, onClick }: { icon: React.ReactNode; label: string; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" onClick={onClick} aria-label={label}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
