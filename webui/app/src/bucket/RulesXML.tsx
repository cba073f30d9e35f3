import { deleteSetting } from '../api/s3';
import { indentXML } from './documents';
import { Document } from './RawSetting';
import { putRules, putTogether, type Kind, type Rules } from './rules';

/** All rules of a list as one document. */
export function RulesXML({ bucket, kind, doc, saved }: { bucket: string; kind: Kind; doc: Rules; saved: () => unknown }) {
  const text = doc.rules.length + doc.rest.length === 0 ? null : indentXML(putTogether(kind, doc));
  return <Document doc={text} put={(xml) => putRules(bucket, kind, xml, doc.headers)} {...(kind.deleted ? { remove: () => deleteSetting(bucket, kind.name) } : {})} saved={saved} />;
}
