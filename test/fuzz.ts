/** Cases of a fuzz test: `FUZZ_RUNS=100000 npx vitest run …` tries more than the suite does. */
export const FUZZ_RUNS = Number(process.env.FUZZ_RUNS ?? 1000);
