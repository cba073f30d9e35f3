import { Group, Text, Title } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useId, useState } from 'react';
import { useT, useTexts } from '../../i18n';
import classes from './chart.module.css';
import { path, peak, ticks, type Line } from './series';

export interface Drawn {
  name: string;
  line: Line;
  colour: 'a' | 'b' | 'c' | 'd';
}

interface Props {
  title: string;
  at: number[];
  lines: Drawn[];
  format: (v: number) => string;
  binary?: boolean;
  /** The axis ends here at least. */
  top?: number;
}

const height = 168;
const margin = { left: 64, right: 10, top: 8, bottom: 22 };

/** Lines over time. The value under the pointer, or chosen with the arrow keys, stands above. */
export function Chart({ title, at, lines, format, binary = false, top = 0 }: Props) {
  const t = useT();
  const { language } = useTexts();
  const { ref, width } = useElementSize();
  const id = useId();
  const [chosen, setChosen] = useState<number>();
  const hours = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' });
  const axis = ticks(Math.max(peak(lines.map((l) => l.line)), top), binary);
  const max = axis.at(-1)!;
  const inner = Math.max(width - margin.left - margin.right, 10);
  const x = (i: number) => margin.left + (i / Math.max(at.length - 1, 1)) * inner;
  const y = (v: number) => margin.top + (1 - v / max) * (height - margin.top - margin.bottom);
  const shown = chosen ?? lastOf(lines);
  const every = Math.max(1, Math.round(at.length / Math.max(2, Math.floor(inner / 90))));
  const nearest = (clientX: number, left: number) => Math.min(at.length - 1, Math.max(0, Math.round(((clientX - left - margin.left) / inner) * (at.length - 1))));
  const key = (e: React.KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (step === undefined) return;
    e.preventDefault();
    setChosen(Math.min(at.length - 1, Math.max(0, (shown ?? at.length - 1) + step)));
  };
  return (
    <section className={classes.chart} aria-labelledby={id}>
      <Group justify="space-between" align="baseline" mb={4} gap="xs">
        <Title order={2} id={id} fz="md">
          {title}
        </Title>
        <Text size="sm" c="dimmed" component="div">
          {shown !== undefined && chosen !== undefined ? hours.format(at[shown]) : t('admin.chart.now')}
        </Text>
      </Group>
      <Group gap="md" mb={4} component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
        {lines.map((l) => (
          <li key={l.name} className={classes.legend}>
            <span className={`${classes.dot} ${classes[l.colour]}`} aria-hidden />
            {l.name} <b>{shown === undefined || l.line[shown] == null ? '–' : format(l.line[shown])}</b>
          </li>
        ))}
      </Group>
      <div
        ref={ref}
        tabIndex={0}
        role="img"
        aria-label={lines.map((l) => t('admin.chart.summary', { name: l.name, now: lastValue(l.line, format), peak: format(peak([l.line])) })).join('. ')}
        onKeyDown={key}
        onBlur={() => setChosen(undefined)}
        onPointerMove={(e) => setChosen(nearest(e.clientX, e.currentTarget.getBoundingClientRect().left))}
        onPointerLeave={() => setChosen(undefined)}
      >
        <svg width={width} height={height} className={classes.svg} aria-hidden>
          {axis.map((v) => (
            <g key={v}>
              <line x1={margin.left} x2={width - margin.right} y1={y(v)} y2={y(v)} className={classes.grid} />
              <text x={margin.left - 8} y={y(v) + 4} textAnchor="end" className={classes.label}>
                {format(v)}
              </text>
            </g>
          ))}
          {at.map((ms, i) =>
            i % every === 0 && x(i) < width - 30 ? (
              <text key={ms} x={x(i)} y={height - 5} textAnchor={i === 0 ? 'start' : 'middle'} className={classes.label}>
                {hours.format(ms)}
              </text>
            ) : null,
          )}
          {lines.map((l) => (
            <path key={l.name} d={path(l.line, x, y)} className={`${classes.line} ${classes[l.colour]}`} />
          ))}
          {chosen !== undefined && <line x1={x(chosen)} x2={x(chosen)} y1={margin.top} y2={height - margin.bottom} className={classes.cross} />}
        </svg>
      </div>
    </section>
  );
}

function lastOf(lines: Drawn[]): number | undefined {
  const i = Math.max(...lines.map((l) => l.line.findLastIndex((v) => v !== null)));
  return i < 0 ? undefined : i;
}

function lastValue(line: Line, format: (v: number) => string): string {
  const v = line.findLast((v) => v !== null);
  return v == null ? '–' : format(v);
}
