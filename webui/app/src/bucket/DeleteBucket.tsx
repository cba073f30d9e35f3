import { Button, Group, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { deleteBucket } from '../api/s3';
import { bucketsKey } from '../files/buckets';
import { deleteWork } from '../files/jobs';
import { queue } from '../files/transfer/queue';
import { useT } from '../i18n';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { useDone } from '../ui/report';
import { SectionHead, type SectionProps } from './Section';

/** Emptying the bucket, and its end. */
export function DeleteBucket({ bucket }: SectionProps) {
  const t = useT();
  const done = useDone();
  const client = useQueryClient();
  const [, go] = useLocation();
  const [asked, setAsked] = useState<'empty' | 'delete'>();
  return (
    <>
      <SectionHead title="bucket.delete" hint="delete.hint" />
      <Stack>
        <Group>
          <Button variant="default" onClick={() => setAsked('empty')}>
            {t('delete.empty')}
          </Button>
          <Button color="red.9" onClick={() => setAsked('delete')}>
            {t('bucket.delete')}
          </Button>
        </Group>
      </Stack>
      {asked === 'empty' && (
        <ConfirmDialog
          title={t('delete.empty')} action={t('delete.empty')} danger type={bucket} onClose={() => setAsked(undefined)}
          onConfirm={async () => queue.run('delete', bucket, `${bucket}/`, deleteWork(bucket, [{ kind: 'prefix', key: '', size: 0, modified: '', etag: '' }], true))}
        >
          {t('delete.empty.text')}
        </ConfirmDialog>
      )}
      {asked === 'delete' && (
        <ConfirmDialog
          title={t('buckets.delete.title', { bucket })} action={t('action.delete')} danger type={bucket} onClose={() => setAsked(undefined)}
          onConfirm={async () => {
            await deleteBucket(bucket);
            done(t('buckets.deleted', { bucket }));
            void client.invalidateQueries({ queryKey: bucketsKey });
            go('/buckets');
          }}
        >
          {t('buckets.delete.text')}
        </ConfirmDialog>
      )}
    </>
  );
}
