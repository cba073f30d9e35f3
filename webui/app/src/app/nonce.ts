/** The nonce that the content security policy of this document names, for styles made by scripts. */
export const nonce = (): string => document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
