import { Button, Group, Radio, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { deleteSetting, putSetting } from '../api/s3';
import { useSession } from '../app/session';
import { useT } from '../i18n';
import { SectionHead, type SectionProps } from './Section';
import { encryptionXML, parseEncryption, type Encryption as Default } from './documents';
import { Asked, useChange, useSetting } from './setting';
import { Unavailable } from './Unavailable';

/** How new objects are encrypted on the disk when their request says nothing of it. */
export function Encryption({ bucket }: SectionProps) {
  const { has } = useSession();
  const setting = useSetting(bucket, 'encryption');
  return (
    <>
      <SectionHead title="bucket.encryption" hint="encryption.hint" />
      {has('PutBucketEncryption') ? (
        <Asked query={setting}>{(doc) => <Form key={doc} bucket={bucket} now={doc === null ? undefined : parseEncryption(doc)} saved={setting.refetch} />}</Asked>
      ) : (
        <Unavailable />
      )}
    </>
  );
}

function Form({ bucket, now, saved }: { bucket: string; now: Default | undefined; saved: () => unknown }) {
  const t = useT();
  const [how, setHow] = useState<string>(now?.algorithm ?? '');
  const [key, setKey] = useState(now?.key ?? '');
  const change = useChange(saved);
  const save = () => (how === '' ? deleteSetting(bucket, 'encryption') : putSetting(bucket, 'encryption', encryptionXML({ algorithm: how as Default['algorithm'], key: key.trim() })));
  return (
    <Stack>
      <Radio.Group value={how} onChange={setHow} aria-label={t('bucket.encryption')}>
        <Stack gap="sm">
          <Radio value="" label={t('encryption.none')} description={t('encryption.none.hint')} />
          <Radio value="AES256" label={t('encryption.s3')} description={t('encryption.s3.hint')} />
          <Radio value="aws:kms" label={t('encryption.kms')} description={t('encryption.kms.hint')} />
        </Stack>
      </Radio.Group>
      {how === 'aws:kms' && <TextInput label={t('encryption.key')} description={t('encryption.key.hint')} value={key} onChange={(e) => setKey(e.currentTarget.value)} maw={420} spellCheck={false} />}
      {change.problem}
      <Group>
        <Button onClick={() => void change.run(save)} loading={change.busy} disabled={how === (now?.algorithm ?? '') && key === (now?.key ?? '')}>
          {t('action.save')}
        </Button>
      </Group>
    </Stack>
  );
}
