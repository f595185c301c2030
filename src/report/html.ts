import { escapeXml } from '../figures/svg.js';
import { type Sheet, withoutEmptyColumns } from '../tables/sheet.js';

/** HTML that is safe to put into a page: markup of this program, with every text from elsewhere escaped. */
export class Html {
  constructor(readonly text: string) {}
}

/** A template whose values are escaped unless they are `Html`; lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const text = parts.map((part, index) => (index === 0 ? part : insert(values[index - 1]!) + part));
  return new Html(text.join(''));
}

type HtmlValue = string | number | Html | readonly Html[];

function insert(value: HtmlValue): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map((item: Html) => item.text).join('\n');
  return escapeXml(String(value));
}

/** A table without its empty columns. */
export function htmlTable(full: Sheet): Html {
  const { columns, rows, right, notes = [] } = withoutEmptyColumns(full);
  const kind = (index: number) =>
    right.includes(columns[index]!) ? 'n' : columns[index] === 'run' ? 'id' : 't';
  const head = columns.map((column, index) => html`<th class="${kind(index)}">${column}</th>`);
  const body = rows.map(
    (row) => html`<tr>${row.map((cell, index) => html`<td class="${kind(index)}">${cell}</td>`)}</tr>`,
  );
  return html`<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>
${notes.map((note) => html`<p class="note">${note}</p>`)}`;
}
