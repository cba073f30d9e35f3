import type { enckeyEn } from './enckey.en';
import type { Translation } from './message';

export const enckeyDe: Translation<typeof enckeyEn> = {
  'admin.enckeys': 'Schlüssel zur Verschlüsselung',
  'enckey.about': 'Benannte Schlüssel versiegeln die Schlüssel der Objekte. Was sie sind, wird nie gezeigt.',
  'enckey.none': 'Es gibt keinen Schlüssel.',
  'enckey.new': 'Schlüssel anlegen',
  'enckey.name.hint': 'Für SSE-KMS. Richtlinien erlauben und verbieten ihn unter diesem Namen.',
  'enckey.default': 'Standard',
  'enckey.outside': 'durch eine Einstellung gegeben',
  'enckey.rotated': 'Neueste Version',
  'enckey.rotate': 'Wechseln',
  'enckey.rotate.text': 'Der Schlüssel bekommt eine neue Version, die ab jetzt versiegelt. Was ältere versiegelt haben, bleibt lesbar.',
  'enckey.reseal': 'Neu versiegeln',
  'enckey.reseal.about': 'Nach einem Wechsel: Die Schlüssel von Objekten, die ältere Versionen versiegelt haben, werden mit der neuesten versiegelt. Inhalte werden weder gelesen noch geschrieben. Es lässt sich anhalten und neu beginnen.',
  'enckey.reseal.begin': 'Beginnen',
  'enckey.reseal.stop': 'Anhalten',
  'enckey.reseal.sum': '{looked} angesehen, {n} neu versiegelt.',
  'enckey.reseal.failed': { one: '{n} lässt sich nicht öffnen und bleibt, wie er ist: {first}', other: '{n} lassen sich nicht öffnen und bleiben, wie sie sind; der erste ist {first}' },
};
