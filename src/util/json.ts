/** What a JSON text says; undefined where it is not one, which no JSON text says. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
