import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { CodeEditorProps } from './CodeEditorInner';

const Inner = lazy(() => import('./CodeEditorInner'));

export type { CodeEditorProps, EditorIssue } from './CodeEditorInner';

/** An editor of a JSON document with line numbers, checks while typing, and completion. Loaded when first needed. */
export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Skeleton height={props.minHeight ?? 240} />}>
      <Inner {...props} />
    </Suspense>
  );
}
