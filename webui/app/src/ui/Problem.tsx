import { Alert, Anchor, Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertCircle, IconTool } from '@tabler/icons-react';
import { Link } from 'wouter';
import { ApiError } from '../api/http';
import { useMay } from '../app/session';
import { useT, type Key, type Translate } from '../i18n';
import { en } from '../i18n/en';
import { CopyButton } from './CopyButton';

/** What happened, in one sentence. */
export function errorText(error: unknown, t: Translate): string {
  if (error instanceof ApiError) return error.message || hint(error, t) || error.code;
  return error instanceof Error ? error.message : String(error);
}

/** What to do about it; '' when nobody knows. */
function hint(error: unknown, t: Translate): string {
  if (!(error instanceof ApiError)) return '';
  const key = `error.hint.${error.code}`;
  return key in en ? t(key as Key) : '';
}

/** An error with what to do and the id of the request. */
export function ErrorBody({ error }: { error: unknown }) {
  const t = useT();
  const text = errorText(error, t);
  const what = hint(error, t);
  const id = error instanceof ApiError ? error.requestId : '';
  return (
    <Stack gap={4}>
      <Text size="md" style={{ overflowWrap: 'anywhere' }}>
        {text}
      </Text>
      {what && what !== text && <Text size="md">{what}</Text>}
      {id && (
        <Group gap={4}>
          <Text size="sm" ff="monospace">
            {t('error.id', { id })}
          </Text>
          <CopyButton value={id} label={t('error.copyID')} size="xs" />
        </Group>
      )}
    </Stack>
  );
}

/** An error in the place of what could not be shown. */
export function Problem({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const t = useT();
  const explains = useMay('admin:Explain');
  // What a server does not have at all, such as a gateway, is no failure.
  if (error instanceof ApiError && error.status === 501) {
    return (
      <Alert color="gray" icon={<IconTool aria-hidden />} title={t('ui.notHere')} maw={640} w="100%" role="status">
        {errorText(error, t)}
      </Alert>
    );
  }
  const why = explains && error instanceof ApiError && error.code === 'AccessDenied' && error.requestId !== '';
  return (
    <Alert color="red" variant="light" icon={<IconAlertCircle aria-hidden />} title={title ?? t('error.title')} maw={640} w="100%" role="alert">
      <ErrorBody error={error} />
      {why && (
        <Anchor component={Link} href={`/refusals/${encodeURIComponent(error.requestId)}`} size="md" underline="always">
          {t('error.why')}
        </Anchor>
      )}
      {retry && (
        <Button mt="sm" size="xs" variant="default" onClick={retry}>
          {t('error.retry')}
        </Button>
      )}
    </Alert>
  );
}
