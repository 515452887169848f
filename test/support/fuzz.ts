/**
 * How many inputs a fuzz test tries: so many in the suite, `GALEN_FUZZ` for every thousand of them on demand; always the
 * same ones.
 */

export function fuzzRuns(inSuite: number): { numRuns: number; seed: number } {
  const asked = Number(process.env["GALEN_FUZZ"] ?? 1000);
  return { numRuns: Math.ceil((inSuite * asked) / 1000), seed: 11 };
}
