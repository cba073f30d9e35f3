// One line a test, as test/lib.sh has them: "ok", "FAIL" or "skip", the name, and why.
export default async function* lines(source) {
  for await (const e of source) {
    if (e.type === 'test:diagnostic' && /^measured /.test(e.data.message)) yield `     ${e.data.message.slice(9)}\n`;
    if ((e.type !== 'test:pass' && e.type !== 'test:fail') || e.data.details?.type === 'suite') continue;
    const { name, skip, details } = e.data;
    if (skip !== undefined) yield `skip browser ${name}: ${skip}\n`;
    else if (e.type === 'test:pass') yield `ok   browser ${name} (${(details.duration_ms / 1000).toFixed(1)} s)\n`;
    else yield `FAIL browser ${name}: ${String(details.error?.cause?.stack ?? details.error).replace(/\x1b\[\d+m/g, '').split('\n').slice(0, 12).join(' | ').slice(0, 1500)}\n`;
  }
}
