/** Sums up what vitest reported: node count.mjs REPORTS [script that failed …]. Ends with 1 if anything failed. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [folder, ...scripts] = process.argv.slice(2);
let passed = 0;
let failed = 0;
const counted = new Set();
for (const name of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  // A skipped test is a failure, and a file that does not load fails without a test.
  const skipped = report.numPendingTests + report.numTodoTests;
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  const failures = report.numFailedTests + skipped + broken.length;
  passed += report.numPassedTests;
  failed += failures;
  if (failures > 0) counted.add(basename(name, '.json'));
}
// So is a script that failed without a failed test.
failed += scripts.filter((script) => !counted.has(script)).length;

if (scripts.length > 0) console.log(`Failed: ${scripts.join(', ')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
