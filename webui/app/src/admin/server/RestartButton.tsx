import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { IconReload } from '@tabler/icons-react';
import { useState } from 'react';
import { adminSend } from '../../api/admin';
import { request } from '../../api/http';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { useDone } from '../../ui/report';

/** Has the server start anew, after asking, and says when it is back. */
export function RestartButton({ onRestarted }: { onRestarted?: () => void }) {
  const t = useT();
  const done = useDone();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const restart = async () => {
    await adminSend('POST', ['restart'], {});
    await back();
    await client.invalidateQueries();
    done(t('admin.restart.back'));
    onRestarted?.();
  };
  return (
    <>
      <Button variant="default" leftSection={<IconReload size={16} aria-hidden />} onClick={() => setAsking(true)}>
        {t('admin.restart')}
      </Button>
      {asking && (
        <ConfirmDialog title={t('admin.restart')} action={t('admin.restart')} danger onClose={() => setAsking(false)} onConfirm={restart}>
          {t('admin.restart.text')}
        </ConfirmDialog>
      )}
    </>
  );
}

// back waits until the server answers again, for two minutes at most; the first second is left to it for going.
async function back(): Promise<void> {
  const end = Date.now() + 120_000;
  for (let wait = 1000; ; wait = Math.min(wait * 1.3, 4000)) {
    await new Promise((r) => setTimeout(r, wait));
    try {
      await request('./session');
      return;
    } catch (e) {
      if (Date.now() > end) throw e;
    }
  }
}
