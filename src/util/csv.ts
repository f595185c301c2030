import { stringify } from 'csv-stringify/sync';

/** What a spreadsheet would take for a formula, and calculate. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * RFC 4180, with a header and these columns, whatever the rows have; undefined is an empty field. Where other people
 * name the columns, rows are arrays: two names may be the same. Text that a spreadsheet would take for a formula gets
 * an apostrophe in front, which it shows as text.
 */
export function csv(columns: readonly string[], rows: readonly object[]): string {
  return stringify([...rows], { header: true, columns: [...columns], cast: { string: harmless } });
}

function harmless(text: string): string {
  return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}
