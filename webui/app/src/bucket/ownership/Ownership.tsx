import { Button, Group, Radio, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { deleteSetting, putSetting } from '../../api/s3';
import { useT } from '../../i18n';
import { SectionHead, type SectionProps } from '../Section';
import { Asked, useChange, useSetting } from '../setting';
import { ownerships, ownershipXML, parseACL, parseOwnership, type Ownership } from './acl';
import { Grants } from './Grants';

/** Whose the objects are, and the bucket's access control list where such lists count. */
export default function OwnershipSection({ bucket }: SectionProps) {
  const t = useT();
  const controls = useSetting(bucket, 'ownershipControls');
  const list = useSetting(bucket, 'acl');
  return (
    <>
      <SectionHead title="bucket.ownership" hint="ownership.hint" />
      <Asked query={controls}>
        {(doc) => {
          const now = doc === null ? '' : parseOwnership(doc);
          return (
            <Stack gap="xl">
              <Choice key={now} bucket={bucket} now={now} saved={() => Promise.all([controls.refetch(), list.refetch()])} />
              <Stack gap="sm">
                <Title order={3}>{t('ownership.acl')}</Title>
                {now === 'BucketOwnerEnforced' ? (
                  <Text>{t('ownership.acl.off')}</Text>
                ) : (
                  <>
                    <Text size="sm" c="dimmed">
                      {t('ownership.acl.hint')}
                    </Text>
                    <Asked query={list}>{(acl) => acl !== null && <Grants key={acl} bucket={bucket} acl={parseACL(acl)} saved={list.refetch} />}</Asked>
                  </>
                )}
              </Stack>
            </Stack>
          );
        }}
      </Asked>
    </>
  );
}

function Choice({ bucket, now, saved }: { bucket: string; now: '' | Ownership; saved: () => unknown }) {
  const t = useT();
  const [want, setWant] = useState<string>(now);
  const change = useChange(saved);
  const save = () => (want === '' ? deleteSetting(bucket, 'ownershipControls') : putSetting(bucket, 'ownershipControls', ownershipXML(want as Ownership)));
  return (
    <Stack>
      <Radio.Group value={want} onChange={setWant} aria-label={t('bucket.ownership')}>
        <Stack gap="sm">
          <Radio value="" label={t('encryption.none')} description={t('ownership.none.hint')} />
          {ownerships.map((o) => (
            <Radio key={o} value={o} label={t(`ownership.${o}`)} description={t(`ownership.${o}.hint`)} />
          ))}
        </Stack>
      </Radio.Group>
      {change.problem}
      <Group>
        <Button onClick={() => void change.run(save)} loading={change.busy} disabled={want === now}>
          {t('action.save')}
        </Button>
      </Group>
    </Stack>
  );
}
