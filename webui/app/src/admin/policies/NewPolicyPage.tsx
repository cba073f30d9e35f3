import { Anchor, Autocomplete, Button, Group, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { adminGet, adminSend } from '../../api/admin';
import { ApiError } from '../../api/http';
import { useT, type Key } from '../../i18n';
import { Page } from '../../ui/Page';
import { Problem } from '../../ui/Problem';
import { policyQuery, useChanged } from '../data';
import { useBuckets } from '../parts/buckets';
import { readDocument } from '../parts/documents';
import { pathTo, useSegment } from '../parts/place';
import { PolicyEditor } from '../parts/PolicyEditor';
import { format, fromTemplate, templates, type TemplateName } from './templates';

/** Makes a policy, from a template or as a copy of another ("/policies/new/NAME"). */
export default function NewPolicyPage() {
  const t = useT();
  const copied = useSegment(2);
  const source = useQuery({ ...policyQuery(copied), enabled: copied !== '' });
  const changed = useChanged();
  const buckets = useBuckets();
  const [, go] = useLocation();
  const [name, setName] = useState('');
  const [template, setTemplate] = useState<TemplateName | ''>(copied ? '' : 'read');
  const [bucket, setBucket] = useState('');
  const [prefix, setPrefix] = useState('');
  const [text, setText] = useState(() => (copied ? '' : fromTemplate('read', { bucket: '', prefix: '' })));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (source.data) setText(format(source.data.document));
  }, [source.data]);
  const fill = (next: { template?: TemplateName | ''; bucket?: string; prefix?: string }) => {
    const now = { template, bucket, prefix, ...next };
    setTemplate(now.template);
    setBucket(now.bucket);
    setPrefix(now.prefix);
    if (now.template) setText(fromTemplate(now.template, now));
  };
  const submit = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const document = readDocument(text, (reason) => t('ui.json.bad', { reason }));
      if (await exists(name.trim())) throw new Error(t('admin.policy.exists', { name: name.trim() }));
      await adminSend('PUT', ['policies', name.trim()], document);
      await changed();
      go(pathTo('policies', 'name', name.trim()));
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  const asksBucket = templates.find((x) => x.name === template)?.bucket === true;
  return (
    <Page
      title={copied ? t('admin.policy.copyOf', { name: copied }) : t('admin.policy.new')}
      about={
        <Anchor component={Link} href="/policies" size="sm">
          {t('admin.policies')}
        </Anchor>
      }
    >
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void submit();
        }}
      >
        <Stack>
          <TextInput label={t('ui.name')} description={t('admin.policy.name.hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} required maw={480} autoComplete="off" spellCheck={false} autoFocus />
          <Group align="flex-end" gap="sm">
            <NativeSelect
              label={t('admin.policy.template')}
              value={template}
              onChange={(e) => fill({ template: e.currentTarget.value as TemplateName })}
              data={[...(template === '' ? [{ value: '', label: t('admin.policy.template.none') }] : []), ...templates.map((x) => ({ value: x.name, label: t(`admin.policy.template.${x.name}` as Key) }))]}
              miw={260}
            />
            {asksBucket && (
              <>
                <Autocomplete label={t('admin.bucket')} value={bucket} onChange={(v) => fill({ bucket: v })} data={buckets()} limit={50} placeholder="BUCKET" />
                <TextInput label={t('admin.prefix')} value={prefix} onChange={(e) => fill({ prefix: e.currentTarget.value })} placeholder={t('admin.prefix.any')} />
              </>
            )}
          </Group>
          <PolicyEditor
            value={text}
            onChange={(v) => {
              setText(v);
              // What is written by hand is no template any more, and not overwritten without a choice.
              if (template && v !== fromTemplate(template, { bucket, prefix })) setTemplate('');
            }}
            label={t('admin.policy.document')}
            minHeight={300}
          />
          {source.error && <Problem error={source.error} />}
          {error !== undefined && <Problem error={error} />}
          <Group>
            <Button type="submit" loading={busy}>
              {t('action.create')}
            </Button>
            <Button variant="default" component={Link} href="/policies">
              {t('action.cancel')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Page>
  );
}

// exists asks before a policy that is there would be overwritten. Who may not read it finds out when it is saved.
async function exists(name: string): Promise<boolean> {
  try {
    await adminGet(['policies', name]);
    return true;
  } catch (e) {
    if (e instanceof ApiError && (e.status === 404 || e.status === 403)) return false;
    throw e;
  }
}
