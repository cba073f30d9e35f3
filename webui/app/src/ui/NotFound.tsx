import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from 'wouter';
import { useT } from '../i18n';
import { EmptyState } from './EmptyState';

/** The page of an address that leads nowhere. */
export function NotFound() {
  const t = useT();
  return (
    <EmptyState icon={IconMapOff} title={t('error.notFound')} text={t('error.notFound.text')}>
      <Button component={Link} href="/buckets" variant="default">
        {t('nav.buckets')}
      </Button>
    </EmptyState>
  );
}
