/** What the page for watching has beside the style of a report: sizes grow with the screen. */
export const WATCH_STYLE = `
:root { font-size: clamp(15px, 9px + 0.45vw, 26px); --good: #1a7f37; --bad: #b42318; --work: #2f7fc1; }
@media (prefers-color-scheme: dark) { :root { --good: #4cc26a; --bad: #ff8a80; --work: #6cb0ea; } }
body { font-size: 1rem; }
header, main { max-width: 110rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1rem; display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; align-items: baseline; }
header h1 { font-size: 1.5rem; }
#connection { margin: 0; color: var(--soft); }
main { padding-bottom: 3rem; display: flex; flex-wrap: wrap; gap: 1.25rem; }
section { flex: 1 1 44rem; min-width: 0; box-sizing: border-box; padding: 1rem 1.25rem; background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem; }
section[data-key='table'], section[data-key='note'] { flex-basis: 100%; }
section[data-key='table'] td { white-space: nowrap; }
section[data-key='table'] td.t:last-child { white-space: normal; }
h2 { font-size: 1.15rem; margin: 0 0 0.25rem; padding: 0; border: 0; }
h3 { font-size: 1rem; margin: 0.75rem 0 0.25rem; }
.note { font-size: 0.87rem; margin: 0.25rem 0; }
table { font-size: 0.87rem; }
th, td { padding: 0.2rem 0.8rem 0.2rem 0; }
.state { font-size: 0.87rem; font-weight: normal; white-space: nowrap; padding: 0 0.5em; border: 1px solid currentColor; border-radius: 1em; }
.running { color: var(--work); }
.finished { color: var(--good); }
.failed, .diverged, .damaged, .killed, .gone, .problem { color: var(--bad); }
.problem { overflow-wrap: anywhere; }
.bars label { display: grid; grid-template-columns: 13em 1fr auto; gap: 0 0.75rem; align-items: center; margin: 0.35rem 0; }
.bars .n { font-variant-numeric: tabular-nums; text-align: right; min-width: 10em; }
progress { width: 100%; height: 0.9rem; accent-color: var(--work); }
dl { display: flex; flex-wrap: wrap; gap: 0.5rem 1.75rem; margin: 0.75rem 0; }
dt { color: var(--soft); font-size: 0.87rem; }
dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.charts { display: grid; gap: 0.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
.charts figure { margin: 0; }
.charts svg { width: 100%; max-height: 28rem; }
pre.log { margin: 0; padding: 0.75rem; background: var(--back); font-size: 0.8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 600px) {
  section[data-key='table'] td:first-child { white-space: normal; min-width: 10em; }
  section[data-key='table'] td.t:last-child { min-width: 24em; }
  .bars label { grid-template-columns: 1fr auto; } .bars progress { grid-column: 1 / -1; grid-row: 2; }
}
`;
