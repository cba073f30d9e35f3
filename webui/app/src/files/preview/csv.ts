// Comma-separated values as RFC 4180 has them.

/**
 * Reads up to `limit` rows. Of a text that was `cut` somewhere, the last row is left out, since it may
 * not be whole.
 */
export function parseCSV(text: string, separator: string, limit: number, cut: boolean): string[][] {
  const rows: string[][] = [];
  let row: string[] = [], field = '', quoted = false, i = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const endField = () => {
    row.push(field);
    field = '';
  };
  const endRow = () => {
    endField();
    rows.push(row);
    row = [];
  };
  for (; i < text.length && rows.length < limit; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') field += c;
      else if (text[i + 1] === '"') field += text[++i]!;
      else quoted = false;
    } else if (c === '"' && field === '') quoted = true;
    else if (c === separator) endField();
    else if (c === '\n') endRow();
    else if (c !== '\r' || text[i + 1] !== '\n') field += c;
  }
  if (!cut && rows.length < limit && (field !== '' || row.length > 0)) endRow();
  return rows;
}
