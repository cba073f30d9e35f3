/** The folders above a prefix, the outermost first: "a/b/" has "a/" and "a/b/". What follows the last "/" counts as one. */
export function crumbs(prefix: string): { name: string; prefix: string }[] {
  const out: { name: string; prefix: string }[] = [];
  for (let from = 0; from < prefix.length; ) {
    const slash = prefix.indexOf('/', from);
    const to = slash < 0 ? prefix.length : slash + 1;
    out.push({ name: prefix.slice(from, to), prefix: prefix.slice(0, to) });
    from = to;
  }
  return out;
}
