import { Alert, Anchor, Badge, Button, Grid, Group, NativeSelect, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAdjustments, IconDeviceFloppy, IconRotate } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { adminGet, adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { EmptyState } from '../../ui/EmptyState';
import { Page } from '../../ui/Page';
import { useChanged } from '../data';
import { useAct } from '../parts/act';
import { Frame, Mono, Part } from '../parts/Facts';
import { Loaded } from '../parts/Loaded';
import { pathTo, useSegment } from '../parts/place';
import { RestartButton } from '../server/RestartButton';
import { changes, isSecret, isSwitch, setKeys, type ConfigKey, type Subsystem } from './config';

/** The stored settings, by subsystem. */
export default function ConfigPage() {
  const t = useT();
  const { may } = useSession();
  const name = useSegment(1);
  const query = useQuery({ queryKey: ['admin', 'config'], queryFn: async ({ signal }) => (await adminGet<{ subsystems: Subsystem[] }>(['config'], {}, signal)).subsystems });
  const [restart, setRestart] = useState(false);
  return (
    <Page title={t('admin.config')} about={t('admin.config.about')} wide>
      {restart && (
        <Alert mb="md" color="yellow" title={t('admin.config.restart')} role="status">
          <Text mb="sm">{t('admin.config.restart.text')}</Text>
          {may('admin:ServiceRestart') && <RestartButton onRestarted={() => setRestart(false)} />}
        </Alert>
      )}
      <Loaded query={query}>
        {(list) => {
          const chosen = list.find((s) => s.name === name) ?? list[0];
          if (!chosen) return <EmptyState icon={IconAdjustments} title={t('admin.config.none')} />;
          return (
            <Grid gap="xl">
              <Grid.Col span={{ base: 12, sm: 4, lg: 3 }}>
                <NativeSelect hiddenFrom="sm" label={t('admin.config.subsystem')} value={chosen.name} onChange={(e) => (location.hash = '#' + pathTo('config', e.currentTarget.value))} data={list.map((s) => s.name)} />
                <nav aria-label={t('admin.config')}>
                  <Stack gap={2} visibleFrom="sm">
                    {list.map((s) => (
                      <Link key={s.name} href={pathTo('config', s.name)} className="nav-link" aria-current={s === chosen ? 'page' : undefined}>
                        <Text span size="md" flex={1} style={{ overflowWrap: 'anywhere' }}>
                          {s.name}
                        </Text>
                        {setKeys(s) > 0 && (
                          <Badge color="gray" title={t('admin.config.set', { n: setKeys(s) })}>
                            {setKeys(s)}
                          </Badge>
                        )}
                      </Link>
                    ))}
                  </Stack>
                </nav>
              </Grid.Col>
              <Grid.Col span={{ base: 12, sm: 8, lg: 9 }}>
                <Form key={chosen.name + JSON.stringify(chosen.keys.map((k) => k.value))} subsystem={chosen} onSaved={() => setRestart(true)} />
              </Grid.Col>
            </Grid>
          );
        }}
      </Loaded>
    </Page>
  );
}

function Form({ subsystem, onSaved }: { subsystem: Subsystem; onSaved: () => void }) {
  const t = useT();
  const { act, busy } = useAct();
  const changed = useChanged();
  const [form, setForm] = useState<Record<string, string>>(() => Object.fromEntries(subsystem.keys.map((k) => [k.key, k.value])));
  const [resetting, setResetting] = useState(false);
  const todo = changes(subsystem.keys, form);
  const dirty = Object.keys(todo).length > 0;
  const save = async () => {
    if (await act(() => adminSend('PUT', ['config', subsystem.name], { values: todo }), t('ui.saved'))) onSaved();
  };
  return (
    <Part
      title={subsystem.name}
      about={subsystem.description}
      actions={
        subsystem.keys.some((k) => k.value !== '') && (
          <Button variant="default" size="xs" leftSection={<IconRotate size={15} aria-hidden />} onClick={() => setResetting(true)}>
            {t('admin.config.reset')}
          </Button>
        )
      }
    >
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void save();
        }}
      >
        <Frame p="lg">
          <Stack gap="lg">
            {subsystem.keys.map((k) => (
              <Field key={k.key} of={k} value={form[k.key] ?? ''} onChange={(v) => setForm({ ...form, [k.key]: v })} />
            ))}
            <Group>
              <Button type="submit" disabled={!dirty} loading={busy} leftSection={<IconDeviceFloppy size={16} aria-hidden />}>
                {t('action.save')}
              </Button>
              {dirty && (
                <Button variant="default" onClick={() => setForm(Object.fromEntries(subsystem.keys.map((k) => [k.key, k.value])))}>
                  {t('admin.undo')}
                </Button>
              )}
            </Group>
          </Stack>
        </Frame>
      </form>
      {resetting && (
        <ConfirmDialog
          title={t('admin.config.reset')}
          action={t('admin.config.reset')}
          danger
          onClose={() => setResetting(false)}
          onConfirm={async () => {
            await adminSend('DELETE', ['config', subsystem.name]);
            onSaved();
            await changed();
          }}
        >
          {t('admin.config.reset.text', { name: subsystem.name })}
        </ConfirmDialog>
      )}
    </Part>
  );
}

function Field({ of: k, value, onChange }: { of: ConfigKey; value: string; onChange: (v: string) => void }) {
  const t = useT();
  const about = (
    <>
      {k.description}
      {k.override && (
        <Text span display="block" size="sm" c="var(--mantine-color-text)">
          {t('admin.config.override', { from: k.override.from, value: k.override.value })}
        </Text>
      )}
    </>
  );
  const common = { label: <Mono wrap>{k.key}</Mono>, description: about };
  const standard = k.default ? t('admin.config.default', { value: k.default }) : t('admin.config.unset');
  if (isSwitch(k)) {
    return <NativeSelect {...common} value={value} onChange={(e) => onChange(e.currentTarget.value)} data={[{ value: '', label: standard }, { value: 'on', label: t('ui.on') }, { value: 'off', label: t('ui.off') }]} maw={320} />;
  }
  if (isSecret(k)) {
    return <PasswordInput {...common} value={value} placeholder={standard} onChange={(e) => onChange(e.currentTarget.value)} autoComplete="new-password" maw={520} visibilityToggleButtonProps={{ 'aria-label': t('action.show.secret') }} />;
  }
  return (
    <div>
      <TextInput {...common} value={value} placeholder={standard} onChange={(e) => onChange(e.currentTarget.value)} autoComplete="off" spellCheck={false} maw={520} />
      {value !== '' && (
        <Anchor component="button" type="button" size="sm" onClick={() => onChange('')}>
          {t('admin.config.unsetOne', { key: k.key })}
        </Anchor>
      )}
    </div>
  );
}
