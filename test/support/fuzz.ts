/**
 * How many inputs a fuzz test tries: so many in the suite, `GALEN_FUZZ` for every thousand of them on demand; always the
 * same ones.
 */
import * as fc from "fast-check";
import { expect } from "vitest";
import { GalenError } from "../../src/errors.ts";

export function fuzzRuns(inSuite: number): { numRuns: number; seed: number } {
  const asked = Number(process.env["GALEN_FUZZ"] ?? 1000);
  return { numRuns: Math.ceil((inSuite * asked) / 1000), seed: 11 };
}

/** The bytes with some changed, taken out, put in or repeated, or cut short; `marks` are put in more often than others. */
export function damaged(bytes: Uint8Array, marks: readonly string[] = []): fc.Arbitrary<Buffer> {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 8 }).map((some) => Buffer.from(some)),
    fc.constantFrom("\0", "\uFEFF", "\n", '"', ...marks).map((mark) => Buffer.from(mark)),
  );
  const edit = fc.record({
    at: fc.nat(bytes.length),
    drop: fc.oneof(fc.nat(4), fc.nat(bytes.length)),
    piece,
    times: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.nat(2000)),
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) =>
    edits.reduce<Buffer>((now, { at, drop, piece, times }) => {
      const added = Array.from({ length: times }, () => piece);
      return Buffer.concat([now.subarray(0, at), ...added, now.subarray(at + drop)]);
    }, Buffer.from(bytes)),
  );
}

/** Whether what is read ends, with values or an error that can be explained. */
export async function endsWell(read: () => AsyncIterable<unknown> | Promise<unknown>): Promise<void> {
  try {
    const found = read();
    if (found instanceof Promise) await found;
    else for await (const one of found) expect(one).toBeDefined();
  } catch (error) {
    expect(error).toBeInstanceOf(GalenError);
  }
}
