/** A text with {names} to fill in; the plural forms are chosen by the parameter n. */
export type Message = string | { one: string; other: string };

/** What a language has to say for the keys of English. */
export type Translation<T> = { readonly [K in keyof T]: Message };
