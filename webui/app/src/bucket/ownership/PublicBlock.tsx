import { Button, Checkbox, Group, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { deleteSetting, putSetting } from '../../api/s3';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { Asked, useChange, useSetting } from '../setting';
import { blocks, blocksXML, parseBlocks } from './acl';

/** What is kept from being public, whatever the policy and access control lists say. */
export function PublicBlock({ bucket }: { bucket: string }) {
  const t = useT();
  const { has } = useSession();
  const setting = useSetting(bucket, 'publicAccessBlock');
  if (!has('PutPublicAccessBlock')) return null;
  return (
    <Stack gap="sm" mt="xl">
      <div>
        <Title order={3}>{t('block.title')}</Title>
        <Text size="sm" c="dimmed">
          {t('block.hint')}
        </Text>
      </div>
      <Asked query={setting}>{(doc) => <Form key={doc} bucket={bucket} now={doc === null ? [] : parseBlocks(doc)} saved={setting.refetch} />}</Asked>
    </Stack>
  );
}

function Form({ bucket, now, saved }: { bucket: string; now: string[]; saved: () => unknown }) {
  const t = useT();
  const [on, setOn] = useState(now);
  const change = useChange(saved);
  const save = () => (on.length === 0 ? deleteSetting(bucket, 'publicAccessBlock') : putSetting(bucket, 'publicAccessBlock', blocksXML(on)));
  return (
    <Stack>
      <Checkbox.Group value={on} onChange={setOn} aria-label={t('block.title')}>
        <Stack gap="sm">
          {blocks.map((b) => (
            <Checkbox key={b} value={b} label={t(`block.${b}`)} />
          ))}
        </Stack>
      </Checkbox.Group>
      {change.problem}
      <Group>
        <Button onClick={() => void change.run(save)} loading={change.busy} disabled={blocks.every((b) => on.includes(b) === now.includes(b))}>
          {t('action.save')}
        </Button>
      </Group>
    </Stack>
  );
}
