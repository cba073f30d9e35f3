import { Center, Paper, Stack, Text } from '@mantine/core';
import { IconCloudUpload } from '@tabler/icons-react';
import { useRef, useState, type DragEvent, type ReactNode } from 'react';
import { dropped, type Picked } from './transfer/drop';

/** Takes files and folders that are dropped anywhere on the page. */
export function DropZone({ onDrop, onError, label, children }: { onDrop: (list: Picked[]) => void; onError: (e: unknown) => void; label: string; children: ReactNode }) {
  const [over, setOver] = useState(false);
  const depth = useRef(0); // of elements that the pointer is in
  const files = (e: DragEvent) => e.dataTransfer.types.includes('Files');
  return (
    <div
      style={{ position: 'relative', display: 'flex', flexDirection: 'column', height: '100%' }}
      onDragEnter={(e) => {
        if (!files(e)) return;
        depth.current++;
        setOver(true);
      }}
      onDragOver={(e) => files(e) && e.preventDefault()}
      onDragLeave={(e) => {
        if (files(e) && --depth.current <= 0) setOver(false);
      }}
      onDrop={(e) => {
        if (!files(e)) return;
        e.preventDefault();
        depth.current = 0;
        setOver(false);
        dropped(e.dataTransfer).then(onDrop, onError);
      }}
    >
      {children}
      {over && (
        <Center pos="absolute" inset={0} style={{ zIndex: 50, pointerEvents: 'none', background: 'color-mix(in srgb, var(--mantine-color-body) 75%, transparent)' }}>
          <Paper p="xl" withBorder style={{ borderStyle: 'dashed', borderColor: 'var(--mantine-color-anchor)', borderWidth: 2 }}>
            <Stack align="center" gap="xs">
              <IconCloudUpload size={40} stroke={1.4} color="var(--mantine-color-anchor)" aria-hidden />
              <Text fw={500} style={{ overflowWrap: 'anywhere' }}>
                {label}
              </Text>
            </Stack>
          </Paper>
        </Center>
      )}
    </div>
  );
}
