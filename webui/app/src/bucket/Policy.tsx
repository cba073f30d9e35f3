import { Alert, Button, Group, Menu, Stack, Text } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useCallback, useState } from 'react';
import { validatePolicy } from '../api/admin';
import { deleteSetting, putSetting } from '../api/s3';
import { useSession } from '../app/session';
import { useT } from '../i18n';
import { CodeEditor, type EditorIssue } from '../ui/CodeEditor';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { SectionHead, type SectionProps } from './Section';
import { Asked, useChange, useSetting } from './setting';
import { templates, withTemplate } from './templates';

/** The policy of the bucket as a document. */
export default function Policy({ bucket }: SectionProps) {
  const policy = useSetting(bucket, 'policy');
  return (
    <>
      <SectionHead title="bucket.policy" hint="policy.hint" />
      <Asked query={policy}>{(doc) => <Editor key={doc} bucket={bucket} doc={doc} saved={policy.refetch} />}</Asked>
    </>
  );
}

function Editor({ bucket, doc, saved }: { bucket: string; doc: string | null; saved: () => unknown }) {
  const t = useT();
  const { may, login } = useSession();
  const before = doc === null ? '' : pretty(doc);
  const [text, setText] = useState(before);
  const [deleting, setDeleting] = useState(false);
  const change = useChange(saved);
  // Who may not ask the server's judge before saving hears of mistakes when saving.
  const judge = may('admin:CreatePolicy');
  const validate = useCallback(async (value: string): Promise<EditorIssue[]> => {
    const v = await validatePolicy(value, 'bucket');
    return v.error ? [{ line: v.error.line, column: v.error.column, message: v.error.path ? `${v.error.path}: ${v.error.reason}` : v.error.reason }] : [];
  }, []);
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {doc === null ? t('policy.none') : t('policy.there')}
        </Text>
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="xs" variant="default" rightSection={<IconChevronDown size={15} aria-hidden />}>
              {t('policy.templates')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {templates.map((m) => (
              <Menu.Item key={m.id} onClick={() => setText(withTemplate(text, m.make(bucket, login.account)))}>
                {t(m.label)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </Group>
      <CodeEditor value={text} onChange={setText} label={t('bucket.policy')} minHeight={280} {...(judge && { validate })} />
      {change.problem}
      <Group>
        <Button onClick={() => void change.run(() => putSetting(bucket, 'policy', text))} loading={change.busy} disabled={text.trim() === '' || text === before}>
          {t('action.save')}
        </Button>
        {doc !== null && (
          <Button variant="default" onClick={() => setDeleting(true)}>
            {t('policy.delete')}
          </Button>
        )}
      </Group>
      {deleting && (
        <ConfirmDialog title={t('policy.delete')} action={t('action.delete')} danger onClose={() => setDeleting(false)} onConfirm={async () => (await deleteSetting(bucket, 'policy'), await saved())}>
          <Alert color="orange">{t('policy.delete.text')}</Alert>
        </ConfirmDialog>
      )}
    </Stack>
  );
}

function pretty(doc: string): string {
  try {
    return JSON.stringify(JSON.parse(doc), null, 2);
  } catch {
    return doc;
  }
}
