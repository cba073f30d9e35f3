// Every text of the console, by typed keys. English is part of the program, other languages
// are loaded when chosen.
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { en } from './en';
import type { Message } from './message';

export type Key = keyof typeof en;
export type Params = Record<string, string | number>;
export type Translate = (key: Key, params?: Params) => string;

export const languages = { en: 'English', de: 'Deutsch', zh: '简体中文' } as const;
export type Language = keyof typeof languages;

const loaders: Record<Exclude<Language, 'en'>, () => Promise<Record<Key, Message>>> = {
  de: () => import('./de').then((m) => m.de),
  zh: () => import('./zh').then((m) => m.zh),
};

const place = 'objsrv.language';

function preferred(): Language {
  const saved = localStorage.getItem(place);
  for (const l of [saved, ...navigator.languages]) {
    const short = l?.slice(0, 2);
    if (short && short in languages) return short as Language;
  }
  return 'en';
}

/** Fills the names of a message. A name without a parameter stays as it is. */
export function fill(message: Message, language: string, params: Params = {}): string {
  let text: string;
  if (typeof message === 'string') text = message;
  else text = new Intl.PluralRules(language).select(Number(params['n'] ?? 0)) === 'one' ? message.one : message.other;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const v = params[name];
    if (v === undefined) return whole;
    return typeof v === 'number' ? v.toLocaleString(language) : v;
  });
}

interface Texts {
  t: Translate;
  language: Language;
  setLanguage: (l: Language) => void;
}

const Context = createContext<Texts | null>(null);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(preferred);
  const [loaded, setLoaded] = useState<{ language: Language; messages: Record<Key, Message> }>({ language: 'en', messages: en });
  useEffect(() => {
    let gone = false;
    const load = language === 'en' ? Promise.resolve(en as Record<Key, Message>) : loaders[language]();
    void load.then((messages) => {
      if (!gone) setLoaded({ language, messages });
    });
    return () => {
      gone = true;
    };
  }, [language]);
  useEffect(() => {
    document.documentElement.lang = loaded.language;
  }, [loaded.language]);
  const value = useMemo<Texts>(
    () => ({
      t: (key, params) => fill(loaded.messages[key] ?? en[key], loaded.language, params),
      language: loaded.language,
      setLanguage: (l) => {
        localStorage.setItem(place, l);
        setLanguage(l);
      },
    }),
    [loaded],
  );
  // Nothing is drawn in another language first.
  if (loaded.language !== language && loaded.language === 'en') return null;
  return <Context value={value}>{children}</Context>;
}

/** The texts of the language that the user chose. */
export function useTexts(): Texts {
  const v = useContext(Context);
  if (!v) throw new Error('no LanguageProvider');
  return v;
}

export const useT = (): Translate => useTexts().t;
