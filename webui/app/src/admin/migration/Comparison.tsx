import { Button, Stack, Text } from '@mantine/core';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { useFormat } from '../../ui/format';
import { When } from '../../ui/When';
import { useAct } from '../parts/act';
import { Facts, Part } from '../parts/Facts';
import { Outcome } from '../parts/Outcome';
import type { Verify } from './migration';

/** The last comparison of both sides, and a way to begin one. */
export function Comparison({ of: v }: { of: Verify | undefined }) {
  const t = useT();
  const format = useFormat();
  const { may } = useSession();
  const { act, busy } = useAct();
  const begin = may('admin:ConfigUpdate') && (
    <Button size="xs" variant="default" loading={busy || (v?.running ?? false)} onClick={() => void act(() => adminSend('POST', ['migration', 'verify']))}>
      {t('migration.compare')}
    </Button>
  );
  return (
    <Part title={t('migration.comparison')} about={t('migration.comparison.about')} actions={begin}>
      {v && (
        <Stack>
          {!v.running && (
            <Outcome good={v.different === 0 && !v.incomplete} title={v.incomplete ? t('migration.compare.cut') : v.different === 0 ? t('migration.compare.same') : t('migration.compare.different', { n: v.different })}>
              {v.incomplete && <Text size="md">{v.incomplete}</Text>}
              {v.problems.slice(0, 100).map((p) => (
                <Text key={p} size="sm">
                  {p}
                </Text>
              ))}
            </Outcome>
          )}
          <Facts
            rows={[
              [t('migration.begun'), <When key="begun" value={v.begun} />],
              [t('migration.ended'), v.ended ? <When value={v.ended} /> : v.running ? t('migration.compare.running') : undefined],
              [t('migration.compared'), format.number(v.compared)],
              [t('migration.same'), format.number(v.same)],
              [t('migration.changed'), format.number(v.changed)],
              [t('migration.notYet'), format.number(v.notYet)],
              [t('migration.different'), format.number(v.different)],
            ]}
          />
        </Stack>
      )}
    </Part>
  );
}
