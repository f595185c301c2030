/** The look of a report, light and dark as the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1b1b1b; --soft: #5c5c5c; --line: #d9d9d9; --back: #fff; --panel: #f6f6f6; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e6e6; --soft: #a6a6a6; --line: #3c3c3c; --back: #161616; --panel: #202020; }
}
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 Arial, Helvetica, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 24px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 36px 0 10px; padding-top: 12px; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
h3 { font-size: 15px; margin: 18px 0 6px; }
.note, figcaption { color: var(--soft); font-size: 13px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
thead tr { border-top: 2px solid var(--text); border-bottom: 1px solid var(--text); }
tbody tr:last-child { border-bottom: 2px solid var(--text); }
th, td { padding: 3px 10px 3px 0; text-align: left; vertical-align: top; }
th { white-space: nowrap; }
td.t { overflow-wrap: anywhere; min-width: 6em; }
td.id { white-space: nowrap; }
th.n, td.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
figure { margin: 8px 0; }
.mistakes { display: flex; flex-wrap: wrap; gap: 12px; }
.mistakes figure { width: 128px; margin: 0; }
.mistakes img { width: 96px; height: 96px; object-fit: contain; background: var(--panel); }
.mistakes figcaption { font-size: 12px; overflow-wrap: anywhere; }
img.pixels { image-rendering: pixelated; }
figure svg { max-width: max(100%, 640px); height: auto; }
summary { cursor: pointer; margin: 8px 0; }
pre { background: var(--panel); padding: 12px; font-size: 12px; overflow-x: auto; }
@media (max-width: 480px) { h1 { font-size: 17px; } h2 { font-size: 15px; } main { padding: 16px 12px 40px; } }
@media print { details { display: block; } }
`;
