import { Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import { FormDialog } from '../../admin/parts/FormDialog';
import { parseXML } from '../../api/s3xml';
import { useT } from '../../i18n';
import { elementXML, indentXML } from '../documents';

/** A rule as it travels. */
export function RuleXMLDialog({ xml, onSave, onClose }: { xml: string; onSave: (xml: string) => Promise<unknown>; onClose: () => void }) {
  const t = useT();
  const before = indentXML(xml);
  const [text, setText] = useState(before);
  const save = async () => {
    let rule: Element;
    try {
      rule = parseXML(text);
    } catch {
      throw new Error(t('raw.wrong'));
    }
    await onSave(elementXML(rule));
  };
  return (
    <FormDialog title={t('raw.rule')} action={t('action.save')} disabled={text === before} onSubmit={save} onClose={onClose}>
      <Text size="sm" c="dimmed">
        {t('raw.hint')}
      </Text>
      <Textarea aria-label={t('raw.rule')} value={text} onChange={(e) => setText(e.currentTarget.value)} autosize minRows={8} maxRows={24} ff="monospace" spellCheck={false} data-autofocus />
    </FormDialog>
  );
}
