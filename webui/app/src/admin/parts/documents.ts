/** Reads a policy that was written; throws what JSON says of it, with the language's own sentence. */
export function readDocument(text: string, sentence: (reason: string) => string): unknown {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new Error(sentence(e instanceof Error ? e.message : String(e)));
  }
}
