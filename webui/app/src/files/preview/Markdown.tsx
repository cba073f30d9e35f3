import { Anchor, Blockquote, Checkbox, Code, Divider, List, Table, Text, Title } from '@mantine/core';
import { lexer, type Token, type Tokens } from 'marked';
import { useMemo, type ReactNode } from 'react';

/**
 * Markdown as elements of ours: nothing of the text becomes HTML. Tags in it are shown as they are written, pictures
 * as links, and links lead only where http, https and mailto do.
 */
export default function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => lexer(text, { gfm: true }), [text]);
  return <div style={{ maxHeight: 480, overflow: 'auto', padding: '4px 14px', border: '1px solid var(--app-line)', borderRadius: 8 }} tabIndex={0} role="document">{blocks(tokens)}</div>;
}

const blocks = (tokens: Token[]): ReactNode => tokens.map((t, i) => <Block key={i} token={t} />);

function Block({ token }: { token: Token }): ReactNode {
  switch (token.type) {
    case 'heading': {
      const t = token as Tokens.Heading;
      // The page has its own first heading.
      return (
        <Title order={Math.min(t.depth + 1, 6) as 2} mt="md" mb="xs">
          {inlines(t.tokens)}
        </Title>
      );
    }
    case 'paragraph':
      return <Text my="xs">{inlines((token as Tokens.Paragraph).tokens)}</Text>;
    case 'text': {
      const t = token as Tokens.Text;
      return <>{t.tokens ? inlines(t.tokens) : t.text}</>;
    }
    case 'code':
      return (
        <Code block my="xs">
          {(token as Tokens.Code).text}
        </Code>
      );
    case 'blockquote':
      return (
        <Blockquote my="xs" p="sm">
          {blocks((token as Tokens.Blockquote).tokens)}
        </Blockquote>
      );
    case 'list':
      return <Items list={token as Tokens.List} />;
    case 'table':
      return <Cells table={token as Tokens.Table} />;
    case 'hr':
      return <Divider my="md" />;
    case 'space':
    case 'def':
    case 'checkbox': // the list has drawn it
      return null;
    default:
      return <Text my="xs">{token.raw}</Text>;
  }
}

function Items({ list }: { list: Tokens.List }) {
  return (
    <List type={list.ordered ? 'ordered' : 'unordered'} my="xs" {...(list.ordered && list.start !== '' && { start: list.start })}>
      {list.items.map((item, i) => (
        <List.Item key={i}>
          {item.task && <Checkbox size="xs" checked={item.checked === true} readOnly tabIndex={-1} aria-label={item.text} display="inline-block" mr={6} />}
          {blocks(item.tokens)}
        </List.Item>
      ))}
    </List>
  );
}

function Cells({ table }: { table: Tokens.Table }) {
  return (
    <Table withTableBorder withColumnBorders my="sm" w="auto">
      <Table.Thead>
        <Table.Tr>
          {table.header.map((c, i) => (
            <Table.Th key={i}>{inlines(c.tokens)}</Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {table.rows.map((r, i) => (
          <Table.Tr key={i}>
            {r.map((c, j) => (
              <Table.Td key={j}>{inlines(c.tokens)}</Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

const inlines = (tokens: Token[] | undefined): ReactNode => tokens?.map((t, i) => <Inline key={i} token={t} />);

function Inline({ token }: { token: Token }): ReactNode {
  switch (token.type) {
    case 'strong':
      return <strong>{inlines((token as Tokens.Strong).tokens)}</strong>;
    case 'em':
      return <em>{inlines((token as Tokens.Em).tokens)}</em>;
    case 'del':
      return <del>{inlines((token as Tokens.Del).tokens)}</del>;
    case 'codespan':
      return <Code>{(token as Tokens.Codespan).text}</Code>;
    case 'br':
      return <br />;
    case 'link': {
      const t = token as Tokens.Link;
      return <Out href={t.href}>{inlines(t.tokens)}</Out>;
    }
    case 'image': {
      const t = token as Tokens.Image;
      return <Out href={t.href}>{t.text || t.href}</Out>;
    }
    case 'text': {
      const t = token as Tokens.Text;
      return <>{t.tokens ? inlines(t.tokens) : t.text}</>;
    }
    case 'checkbox':
      return null;
    case 'escape':
      return <>{(token as Tokens.Escape).text}</>;
    default:
      return <>{token.raw}</>;
  }
}

/** The address when it leads to another place over a protocol that runs nothing here; undefined for any other. */
export function outward(href: string): string | undefined {
  try {
    const u = new URL(href);
    return ['http:', 'https:', 'mailto:'].includes(u.protocol) ? u.href : undefined;
  } catch {
    return undefined;
  }
}

function Out({ href, children }: { href: string; children: ReactNode }) {
  const safe = outward(href);
  return safe ? (
    <Anchor href={safe} target="_blank" rel="noopener noreferrer" underline="always" inherit>
      {children}
    </Anchor>
  ) : (
    <span title={href}>{children}</span>
  );
}
