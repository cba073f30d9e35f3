import { autocompletion, type CompletionSource } from '@codemirror/autocomplete';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { forceLinting, linter, lintGutter, type Diagnostic } from '@codemirror/lint';
import { Compartment, EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { basicSetup } from 'codemirror';
import { useEffect, useRef } from 'react';
import { nonce } from '../app/nonce';

/** Something wrong at a place of the document; line and column count from 1. */
export interface EditorIssue {
  line: number;
  column: number;
  message: string;
}

export interface CodeEditorProps {
  value: string;
  onChange?: (value: string) => void;
  /** Name for those who do not see the editor. */
  label: string;
  readOnly?: boolean;
  /** Judges a document that is JSON; what it returns is marked. It is asked after pauses in typing. */
  validate?: (value: string) => Promise<EditorIssue[]>;
  /** Offers words while typing. */
  complete?: CompletionSource;
  minHeight?: number;
  maxHeight?: number | string;
}

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--app-code-name)' },
  { tag: tags.string, color: 'var(--app-code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--app-code-value)' },
]);

/** See CodeEditor. */
export default function CodeEditorInner(props: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  const fixed = useRef(new Compartment());

  useEffect(() => {
    const v = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          EditorView.cspNonce.of(nonce()),
          basicSetup,
          json(),
          syntaxHighlighting(colours),
          lintGutter(),
          linter((w) => judge(w, latest.current.validate), { delay: 500 }),
          autocompletion(latest.current.complete ? { override: [latest.current.complete] } : {}),
          EditorView.lineWrapping,
          fixed.current.of([]),
          EditorView.updateListener.of((u) => {
            if (u.docChanged) latest.current.onChange?.(u.state.doc.toString());
          }),
          look(latest.current.minHeight ?? 240, latest.current.maxHeight ?? 520),
        ],
      }),
    });
    view.current = v;
    return () => v.destroy();
  }, []);

  useEffect(() => {
    const v = view.current!;
    if (v.state.doc.toString() !== props.value) {
      v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: props.value } });
      forceLinting(v);
    }
  }, [props.value]);

  useEffect(() => {
    view.current!.dispatch({
      effects: fixed.current.reconfigure([
        EditorState.readOnly.of(props.readOnly === true),
        EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': props.label, 'aria-readonly': String(props.readOnly === true) }),
      ]),
    });
  }, [props.readOnly, props.label]);

  return <div ref={host} />;
}

async function judge(view: EditorView, validate: CodeEditorProps['validate']): Promise<Diagnostic[]> {
  if (view.state.doc.length === 0) return [];
  const syntax = jsonParseLinter()(view);
  if (syntax.length > 0 || !validate) return syntax;
  const doc = view.state.doc;
  const issues = await validate(doc.toString()).catch(() => []);
  return issues.map((i) => {
    const line = doc.line(Math.min(Math.max(i.line, 1), doc.lines));
    const from = Math.min(line.from + Math.max(i.column - 1, 0), line.to);
    return { from, to: Math.max(from, line.to), severity: 'error', message: i.message };
  });
}

const look = (min: number, max: number | string) =>
  EditorView.theme({
    '&': { border: '1px solid var(--app-line)', borderRadius: '8px', backgroundColor: 'var(--mantine-color-body)', fontSize: '13px', overflow: 'hidden' },
    '&.cm-focused': { outline: '2px solid var(--mantine-color-anchor)', outlineOffset: '1px' },
    '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', minHeight: `${min}px`, maxHeight: typeof max === 'number' ? `${max}px` : max, overflow: 'auto' },
    '.cm-content': { caretColor: 'var(--mantine-color-text)' },
    '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
    '.cm-gutters': { backgroundColor: 'var(--app-side)', color: 'var(--mantine-color-dimmed)', borderRight: '1px solid var(--app-line)' },
    '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--app-hover) 70%, transparent)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--app-active)' },
    '.cm-tooltip': { backgroundColor: 'var(--mantine-color-body)', color: 'var(--mantine-color-text)', border: '1px solid var(--app-line)', borderRadius: '6px' },
    '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--app-active)', color: 'var(--mantine-color-text)' },
    '.cm-panels': { backgroundColor: 'var(--app-side)', color: 'var(--mantine-color-text)' },
  });
