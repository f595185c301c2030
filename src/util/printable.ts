/** Control characters, and marks that reorder what is read or break lines: a terminal would obey them. */
const OBEYED = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * One line of text in which nothing is obeyed by a terminal: `\t`, `\n`, `\u001b`. Text from files, servers and names
 * of folders is shown so. What a string of JSON holds keeps its meaning.
 */
export function printableLine(text: string): string {
  return text.replaceAll(OBEYED, (character) => NAMED[character] ?? escaped(character));
}

/** The same of a text that may have several lines. */
export function printable(text: string): string {
  return text.split('\n').map(printableLine).join('\n');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
