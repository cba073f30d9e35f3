import { ActionIcon, Button, Checkbox, Group, NumberInput, Paper, Stack, TagsInput, Text, Title } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { deleteSetting, putSetting } from '../api/s3';
import { useT } from '../i18n';
import { SectionHead, type SectionProps } from './Section';
import { corsMethods, corsXML, parseCORS, type CORSRule } from './documents';
import { Asked, useChange, useSetting } from './setting';

/** Which pages of other origins may use the bucket from a browser. */
export function CORS({ bucket }: SectionProps) {
  const setting = useSetting(bucket, 'cors');
  return (
    <>
      <SectionHead title="bucket.cors" hint="cors.hint" />
      <Asked query={setting}>{(doc) => <Rules key={doc} bucket={bucket} now={doc === null ? [] : parseCORS(doc)} saved={setting.refetch} />}</Asked>
    </>
  );
}

const fresh: CORSRule = { id: '', origins: [], methods: ['GET', 'HEAD'], headers: ['*'], expose: ['ETag'], maxAge: 3600 };

function Rules({ bucket, now, saved }: { bucket: string; now: CORSRule[]; saved: () => unknown }) {
  const t = useT();
  const [rules, setRules] = useState(now);
  const change = useChange(saved);
  const set = (i: number, part: Partial<CORSRule>) => setRules(rules.map((r, j) => (j === i ? { ...r, ...part } : r)));
  const ready = rules.every((r) => r.origins.length > 0 && r.methods.length > 0);
  return (
    <Stack>
      {rules.length === 0 && <Text>{t('cors.none')}</Text>}
      {rules.map((r, i) => (
        <Paper key={i} p="md" style={{ border: '1px solid var(--app-line)' }}>
          <Group justify="space-between" mb="xs">
            <Title order={3}>{t('cors.rule', { n: i + 1 })}</Title>
            <ActionIcon variant="subtle" color="gray" onClick={() => setRules(rules.filter((_, j) => j !== i))} aria-label={`${t('action.remove')}: ${t('cors.rule', { n: i + 1 })}`}>
              <IconTrash size={17} />
            </ActionIcon>
          </Group>
          <Stack gap="sm">
            <TagsInput label={t('cors.origins')} description={t('cors.origins.hint')} value={r.origins} onChange={(v) => set(i, { origins: v })} placeholder="https://app.example.com" acceptValueOnBlur />
            <Checkbox.Group label={t('cors.methods')} value={r.methods} onChange={(v) => set(i, { methods: v })}>
              <Group mt={6}>
                {corsMethods.map((m) => (
                  <Checkbox key={m} value={m} label={m} size="sm" />
                ))}
              </Group>
            </Checkbox.Group>
            <TagsInput label={t('cors.headers')} description={t('cors.headers.hint')} value={r.headers} onChange={(v) => set(i, { headers: v })} acceptValueOnBlur />
            <TagsInput label={t('cors.expose')} description={t('cors.expose.hint')} value={r.expose} onChange={(v) => set(i, { expose: v })} acceptValueOnBlur />
            <NumberInput label={t('cors.age')} value={r.maxAge ?? ''} onChange={(v) => set(i, { maxAge: v === '' ? undefined : Number(v) })} min={0} allowDecimal={false} maw={200} />
          </Stack>
        </Paper>
      ))}
      <div>
        <Button size="xs" variant="default" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setRules([...rules, fresh])}>
          {t('cors.add')}
        </Button>
      </div>
      {change.problem}
      <Group>
        <Button
          loading={change.busy} disabled={!ready || JSON.stringify(rules) === JSON.stringify(now)}
          onClick={() => void change.run(() => (rules.length === 0 ? deleteSetting(bucket, 'cors') : putSetting(bucket, 'cors', corsXML(rules))))}
        >
          {t('action.save')}
        </Button>
      </Group>
    </Stack>
  );
}
