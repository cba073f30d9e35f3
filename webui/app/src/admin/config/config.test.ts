import { expect, test } from 'vitest';
import { changes, isSecret, isSwitch, setKeys, type ConfigKey } from './config';

const key = (k: Partial<ConfigKey>): ConfigKey => ({ key: 'k', type: 'string', description: '', value: '', ...k });

test('only what was changed is sent', () => {
  const keys = [key({ key: 'a', value: '1' }), key({ key: 'b', value: '2' }), key({ key: 'c', value: '***' }), key({ key: 'd', value: 'x' }), key({ key: 'e' })];
  expect(changes(keys, { a: '1', b: '3', c: '***', d: '', e: '' })).toEqual({ b: '3', d: '' });
  expect(changes(keys, { c: 'new' })).toEqual({ c: 'new' });
});

test('kinds of keys', () => {
  expect(isSwitch(key({ type: 'on|off' }))).toBe(true);
  expect(isSwitch(key({ type: 'string' }))).toBe(false);
  expect(isSecret(key({ key: 'client_secret' }))).toBe(true);
  expect(isSecret(key({ key: 'client_id' }))).toBe(false);
  expect(isSecret(key({ key: 'x', value: '***' }))).toBe(true);
});

test('keys that are set', () => {
  expect(setKeys({ name: 's', description: '', keys: [key({ value: '1' }), key({}), key({ override: { from: 'ENV', value: '' } })] })).toBe(2);
});
