/** A text as a part of one line: the end of what is longer than `most` characters is left out. */
export function shorten(text: string, most = 100): string {
  const line = text.slice(0, most).replaceAll(/\s+/g, ' ');
  return text.length > most ? `${line}…` : line;
}

/** A value as JSON, likewise; numbers as they are (`Infinity`). */
export function shortenValue(value: unknown, most?: number): string {
  if (typeof value === 'number') return String(value);
  // A long list is cut before it is written out.
  const cut = (_key: string, inner: unknown) => (Array.isArray(inner) ? inner.slice(0, 100) : inner);
  return shorten(JSON.stringify(value, cut) ?? String(value), most);
}

/** The first of many names, for one line: `a, b, c and 9 more`. */
export function firstNames(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).map((name) => shorten(name, 200));
  return names.length > most ? `${shown.join(', ')} and ${names.length - most} more` : shown.join(', ');
}
