import { Autocomplete, Button, Checkbox, Group, Radio, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { encryptionKeysQuery } from '../admin/encryption/keys';
import { deleteSetting, putSetting } from '../api/s3';
import { useSession } from '../app/session';
import { useT } from '../i18n';
import { SectionHead, type SectionProps } from './Section';
import { encryptionXML, noEncryption, parseEncryption, type Encryption as Default } from './documents';
import { Asked, useChange, useSetting } from './setting';
import { Unavailable } from './Unavailable';

/** How new objects are encrypted on the disk when their request says nothing of it, and what is refused. */
export function Encryption({ bucket }: SectionProps) {
  const { has, server } = useSession();
  const setting = useSetting(bucket, 'encryption');
  return (
    <>
      <SectionHead title="bucket.encryption" hint="encryption.hint" />
      {has('PutBucketEncryption') ? (
        <Asked query={setting}>{(doc) => <Form key={doc} bucket={bucket} now={doc === null ? noEncryption : parseEncryption(doc)} saved={setting.refetch} />}</Asked>
      ) : (
        <Unavailable {...(server.gateway ? { why: 'encryption.gateway' } : {})} />
      )}
    </>
  );
}

function Form({ bucket, now, saved }: { bucket: string; now: Default; saved: () => unknown }) {
  const t = useT();
  const { may } = useSession();
  const [want, setWant] = useState(now);
  const set = (part: Partial<Default>) => setWant((w) => ({ ...w, ...part }));
  const keys = useQuery({ ...encryptionKeysQuery, enabled: want.algorithm === 'aws:kms' && may('kms:ListKeys'), retry: false });
  const change = useChange(saved);
  const save = () => {
    const doc = encryptionXML({ ...want, key: want.key.trim() });
    return doc === null ? deleteSetting(bucket, 'encryption') : putSetting(bucket, 'encryption', doc);
  };
  return (
    <Stack>
      <Radio.Group value={want.algorithm} onChange={(v) => set({ algorithm: v as Default['algorithm'] })} aria-label={t('bucket.encryption')}>
        <Stack gap="sm">
          <Radio value="" label={t('encryption.none')} description={t('encryption.none.hint')} />
          <Radio value="AES256" label={t('encryption.s3')} description={t('encryption.s3.hint')} />
          <Radio value="aws:kms" label={t('encryption.kms')} description={t('encryption.kms.hint')} />
        </Stack>
      </Radio.Group>
      {want.algorithm === 'aws:kms' && <Autocomplete label={t('encryption.key')} description={t('encryption.key.hint')} value={want.key} onChange={(key) => set({ key })} data={(keys.data ?? []).map((k) => k.name)} maw={420} spellCheck={false} />}
      <Checkbox label={t('encryption.blockCustomer')} description={t('encryption.blockCustomer.hint')} checked={want.blockCustomer} onChange={(e) => set({ blockCustomer: e.currentTarget.checked })} />
      {change.problem}
      <Group>
        <Button onClick={() => void change.run(save)} loading={change.busy} disabled={encryptionXML(want) === encryptionXML(now)}>
          {t('action.save')}
        </Button>
      </Group>
    </Stack>
  );
}
