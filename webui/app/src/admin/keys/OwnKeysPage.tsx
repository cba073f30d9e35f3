import { Alert, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconInfoCircle, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useT } from '../../i18n';
import { Page } from '../../ui/Page';
import { keysQuery, whoamiQuery } from '../data';
import { Loaded } from '../parts/Loaded';
import { SecretDialog } from '../parts/SecretDialog';
import type { Secret } from '../types';
import { KeyDialog } from './KeyDialog';
import { KeyTable } from './KeyTable';

/** The access keys of whoever is logged in. */
export default function OwnKeysPage() {
  const t = useT();
  const keys = useQuery(keysQuery('own'));
  const me = useQuery(whoamiQuery);
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<Secret>();
  const fixed = me.data?.restricted === true;
  return (
    <Page
      title={t('admin.ownKeys')}
      about={t('admin.ownKeys.about')}
      wide
      actions={
        !fixed && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
            {t('admin.key.new')}
          </Button>
        )
      }
    >
      {fixed && (
        <Alert mb="md" color="gray" icon={<IconInfoCircle aria-hidden />}>
          {t('admin.restricted')}
        </Alert>
      )}
      <Loaded query={keys}>{(list) => <KeyTable keys={list} mayChange={!fixed} mayDelete={!fixed} />}</Loaded>
      {creating && <KeyDialog onClose={() => setCreating(false)} onMade={setMade} />}
      {made && <SecretDialog secret={made} title={t('admin.key.made')} onClose={() => setMade(undefined)} />}
    </Page>
  );
}
