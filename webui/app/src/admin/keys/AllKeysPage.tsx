import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { Page } from '../../ui/Page';
import { keysQuery } from '../data';
import { Loaded } from '../parts/Loaded';
import { SecretDialog } from '../parts/SecretDialog';
import { usePeople } from '../parts/Who';
import type { Secret } from '../types';
import { KeyDialog } from './KeyDialog';
import { KeyTable } from './KeyTable';

/** The access keys of everybody. */
export default function AllKeysPage() {
  const t = useT();
  const { may } = useSession();
  const keys = useQuery(keysQuery('all'));
  const people = usePeople();
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<Secret>();
  return (
    <Page
      title={t('admin.allKeys')}
      about={t('admin.allKeys.about')}
      wide
      actions={
        may('admin:CreateServiceAccount') && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
            {t('admin.key.newFor')}
          </Button>
        )
      }
    >
      <Loaded query={keys}>{(list) => <KeyTable keys={list} people={people} mayChange={may('admin:UpdateServiceAccount')} mayDelete={may('admin:RemoveServiceAccount')} />}</Loaded>
      {creating && <KeyDialog owner="" onClose={() => setCreating(false)} onMade={setMade} />}
      {made && <SecretDialog secret={made} title={t('admin.key.made')} onClose={() => setMade(undefined)} />}
    </Page>
  );
}
