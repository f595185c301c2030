import { printableLine } from './printable.js';

/** Lays text out in columns, two spaces apart. Columns named in `right` are aligned to the right. */
export function textTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly string[] = [],
): string[] {
  const printed = rows.map((row) => row.map(printableLine));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...printed.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (text: string, column: number) =>
    right.includes(header[column]!) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
  return [header, ...printed].map((row) => row.map(pad).join('  ').trimEnd());
}
