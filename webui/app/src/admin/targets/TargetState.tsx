import { useT, type Key } from '../../i18n';
import { State } from '../parts/State';
import type { Target } from './target';

const kinds = { ok: 'good', unused: 'off', failing: 'bad' } as const;
const words: Record<Target['state'], Key> = { ok: 'targets.ok', unused: 'targets.unused', failing: 'targets.failing' };

/** How a target is, and how much waits for it. */
export function TargetState({ of: x }: { of: Target }) {
  const t = useT();
  return <State kind={kinds[x.state] ?? 'off'}>{t(words[x.state] ?? 'targets.unused') + (x.waiting > 0 ? ` · ${t('targets.waiting.n', { n: x.waiting })}` : '')}</State>;
}
