import { validatePolicy } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { CodeEditor, type EditorIssue } from '../../ui/CodeEditor';
import { completePolicy } from '../policies/complete';
import { useBuckets } from './buckets';

interface Props {
  value: string;
  onChange?: (value: string) => void;
  label: string;
  readOnly?: boolean;
  kind?: 'user' | 'bucket';
  minHeight?: number;
}

const complete = { user: (b: () => string[]) => completePolicy('user', b), bucket: (b: () => string[]) => completePolicy('bucket', b) };

/** An editor of policies: it offers actions, keys and buckets, and has the server judge what is written. */
export function PolicyEditor({ value, onChange, label, readOnly, kind = 'user', minHeight }: Props) {
  const t = useT();
  const { may } = useSession();
  const buckets = useBuckets();
  const judge = async (text: string): Promise<EditorIssue[]> => {
    if (!may('admin:CreatePolicy')) return [];
    const v = await validatePolicy(text, kind === 'bucket' ? 'bucket' : undefined);
    return v.valid || !v.error ? [] : [{ line: v.error.line, column: v.error.column, message: v.error.path ? t('admin.policy.at', { path: v.error.path, reason: v.error.reason }) : v.error.reason }];
  };
  return (
    <CodeEditor
      value={value}
      label={label}
      {...(onChange ? { onChange } : {})}
      {...(readOnly ? { readOnly } : { validate: judge, complete: complete[kind](buckets) })}
      {...(minHeight ? { minHeight } : {})}
    />
  );
}
