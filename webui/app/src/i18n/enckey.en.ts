import type { Message } from './message';

export const enckeyEn = {
  'admin.enckeys': 'Encryption keys',
  'enckey.about': 'Named keys seal the keys of objects. What they are is never shown.',
  'enckey.none': 'There is no key.',
  'enckey.new': 'Create key',
  'enckey.name.hint': 'For SSE-KMS. Policies can grant and deny it by this name.',
  'enckey.default': 'default',
  'enckey.outside': 'given by a setting',
  'enckey.rotated': 'Newest version',
  'enckey.rotate': 'Rotate',
  'enckey.rotate.text': 'The key gets a new version, which seals from now on. What older versions have sealed stays readable.',
  'enckey.reseal': 'Seal anew',
  'enckey.reseal.about': 'After a rotation: the keys of objects that older versions have sealed are sealed with the newest. No content is read or written. It may be stopped and begun again.',
  'enckey.reseal.begin': 'Begin',
  'enckey.reseal.stop': 'Stop',
  'enckey.reseal.sum': 'Looked at {looked}, sealed {n} anew.',
  'enckey.reseal.failed': { one: '{n} does not open and stays as it is: {first}', other: '{n} do not open and stay as they are; the first is {first}' },
} as const satisfies Record<string, Message>;
