import { Skeleton, Stack, VisuallyHidden } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { IconLock, IconPlugOff, IconQuestionMark } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ApiError } from '../../api/http';
import { useT } from '../../i18n';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorBody, Problem } from '../../ui/Problem';

/** Whether the server does not have what was asked for: another version, or a part that isn't set up. */
export const isMissing = (error: unknown) => error instanceof ApiError && (error.status === 501 || error.code === 'NoSuchRoute' || (error.status === 404 && error.code === 'NotFound'));

/** Draws what was asked for, or why it isn't there: still loading, not in this version, not allowed, failed. */
export function Loaded<T>({ query, children, height = 200 }: { query: UseQueryResult<T>; children: (data: T) => ReactNode; height?: number }) {
  const t = useT();
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return (
    <Stack gap="xs" mih={height}>
      <VisuallyHidden role="status">{t('ui.loading')}</VisuallyHidden>
      <Skeleton height={36} />
      <Skeleton height={36} />
      <Skeleton height={36} width="70%" />
    </Stack>
  );
}

/** Why something could not be shown. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useT();
  if (isMissing(error)) return <EmptyState icon={IconPlugOff} title={t('ui.unavailable')} text={error instanceof ApiError ? error.message : ''} />;
  if (error instanceof ApiError && error.status === 404) {
    return error.code === 'NoSuchUser' ? (
      <EmptyState icon={IconQuestionMark} title={t('admin.gone.user')} text={t('admin.gone.user.text')} />
    ) : (
      <EmptyState icon={IconQuestionMark} title={t('admin.gone')} text={error.message} />
    );
  }
  if (error instanceof ApiError && error.status === 403) {
    return (
      <EmptyState icon={IconLock} title={t('admin.denied')}>
        <ErrorBody error={error} />
      </EmptyState>
    );
  }
  return <Problem error={error} {...(retry ? { retry } : {})} />;
}
