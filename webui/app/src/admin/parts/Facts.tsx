import { Box, Paper, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './parts.module.css';

/** Names and their values, one below the other on narrow screens. Values that are undefined are left out. */
export function Facts({ rows }: { rows: [name: string, value: ReactNode | undefined][] }) {
  return (
    <dl className={classes.facts}>
      {rows
        .filter((r) => r[1] !== undefined)
        .map(([name, value], i) => (
          <div key={`${i} ${name}`}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** A part of a page with a title of its own. */
export function Part({ title, about, actions, children }: { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <Box component="section" mb="xl" mt="lg" aria-label={title}>
      <Box className={classes.partHead}>
        <div>
          <Title order={2}>{title}</Title>
          {about && (
            <Text c="dimmed" size="sm" component="div">
              {about}
            </Text>
          )}
        </div>
        {actions}
      </Box>
      {children}
    </Box>
  );
}

/** A quiet frame. */
export function Frame({ children, p = 'md' }: { children: ReactNode; p?: string | number }) {
  return (
    <Paper p={p} style={{ border: '1px solid var(--app-line)' }}>
      {children}
    </Paper>
  );
}

/** A technical name. */
export function Mono({ children, wrap }: { children: ReactNode; wrap?: boolean }) {
  return <span className={wrap ? classes.monoWrap : classes.mono}>{children}</span>;
}
