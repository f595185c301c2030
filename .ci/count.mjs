/**
 * Sums up what vitest reported, and names what failed: node count.mjs REPORTS [script that failed …]. REPORTS holds
 * SCRIPT.json and SCRIPT.log of each. Ends with 1 if anything failed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [folder, ...scripts] = process.argv.slice(2);
let passed = 0;
const failures = [];
const explained = new Set();
for (const name of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const script = basename(name, '.json');
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  passed += report.numPassedTests;
  const found = report.testResults.flatMap(failuresOf);
  failures.push(...found);
  if (found.length > 0) explained.add(script);
}
// A script that failed without a failed test: its last lines say why.
for (const script of scripts.filter((script) => !explained.has(script)))
  failures.push(`${script}\n${lastLines(join(folder, `${script}.log`))}`);

for (const failure of failures) console.log(`FAILED ${failure}\n`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = passed > 0 && failures.length === 0 ? 0 : 1;

/** What failed in a file of tests. A skipped test is a failure, and a file that does not load fails without a test. */
function failuresOf(file) {
  const tests = file.assertionResults.filter((test) => test.status !== 'passed');
  if (tests.length === 0) return file.status === 'failed' ? [`${file.name}\n${file.message}`] : [];
  return tests.map(
    (test) => `${file.name}: ${test.fullName} (${test.status})\n${test.failureMessages.join('\n')}`,
  );
}

function lastLines(log) {
  return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-80).join('\n') : '';
}
