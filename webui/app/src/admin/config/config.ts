export interface ConfigKey {
  key: string;
  type: string;
  description: string;
  value: string;
  default?: string;
  override?: { from: string; value: string };
}

export interface Subsystem {
  name: string;
  description: string;
  keys: ConfigKey[];
}

/** What stands for a secret that is not told. */
export const hidden = '***';

/** What has to be sent so that the stored values become those of the form; a secret that was not touched isn't sent. */
export function changes(keys: ConfigKey[], form: Record<string, string>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const k of keys) {
    const v = form[k.key];
    if (v !== undefined && v !== k.value && v !== hidden) out[k.key] = v;
  }
  return out;
}

/** Whether a key takes "on" or "off". */
export const isSwitch = (k: ConfigKey) => /^(bool|boolean|on\|off|on or off)$/i.test(k.type);

/** Whether a value is a secret: what the server hides, and keys that are named so. */
export const isSecret = (k: ConfigKey) => k.value === hidden || k.override?.value === hidden || /secret|password|token$/i.test(k.key);

/** How many keys of a subsystem are set, stored or by the environment. */
export const setKeys = (s: Subsystem) => s.keys.filter((k) => k.value !== '' || k.override !== undefined).length;
