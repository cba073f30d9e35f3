import type { accountEn } from './account.en';
import type { Translation } from './message';

export const accountDe: Translation<typeof accountEn> = {
  'admin.accounts': 'Konten',
  'account.about': 'Wem Benutzer und Buckets gehören. Wer zu einem Konto gehört, kommt an Buckets eines anderen nur, wo beide Seiten es erlauben.',
  'account.new': 'Konto anlegen',
  'account.made': 'Das Konto ist da',
  'account.deployment': 'Die Installation',
  'account.this': 'verwaltet den Server',
  'account.root': 'Root-Benutzer',
  'account.root.hint': 'Ein neuer Benutzer, der im Konto alles darf. Leer für einen gleichen Namens.',
  'account.id': 'Konto-Id',
  'account.id.hint': '12 Ziffern. Bleibt sie leer, wählt sie der Server.',
  'account.delete': 'Konto löschen',
  'account.delete.text': 'Der Root-Benutzer {root} geht mit. Ein Konto, das noch Benutzer, Gruppen oder Buckets hat, wird nicht gelöscht.',
};
