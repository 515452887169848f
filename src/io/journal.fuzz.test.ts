/** Journals of any contents: opened, or refused with the reason, and never changed where they are refused. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { GalenError } from "../errors.ts";
import { openJournal } from "./journal.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-journal-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));
const numRuns = Number(process.env["GALEN_FUZZ"] ?? 1000);

const header = JSON.stringify({ settings: { a: 1 } });
const whole = `${header}\n{"n":1,"bytes":[4]}\n{"n":2,"bytes":[8]}\n`;
const results = "one\ntwo\nthr";

/** A journal with some bytes changed, cut or put in; or anything. */
const damaged = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .tuple(fc.nat(whole.length), fc.nat(12), fc.string({ maxLength: 6 }))
    .map(([at, count, text]) => whole.slice(0, at) + text + whole.slice(at + count)),
);

test("what is no journal of the run is refused, and stays as it is", async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(damaged, async (contents) => {
      const place = join(folder, `${number++}`);
      mkdirSync(place);
      writeFileSync(join(place, "journal.jsonl"), contents);
      writeFileSync(join(place, "results.jsonl"), results);
      try {
        const journal = await openJournal(place, ["results.jsonl"], {
          settings: { a: 1 },
          entry: z.object({ n: z.number() }),
          resume: true,
        });
        const kept = readFileSync(join(place, "results.jsonl"), "utf8");
        expect(results.startsWith(kept)).toBe(true);
        expect(kept.length).toBe(
          journal.last === undefined ? 0 : (journal.last as unknown as { bytes: [number] }).bytes[0],
        );
        await journal[Symbol.asyncDispose]();
      } catch (error) {
        if (!(error instanceof GalenError)) throw error;
        expect(error.message.length).toBeLessThan(600);
        expect(readFileSync(join(place, "results.jsonl"), "utf8")).toBe(results);
        expect(readFileSync(join(place, "journal.jsonl"), "utf8")).toBe(Buffer.from(contents, "utf8").toString("utf8"));
      } finally {
        rmSync(place, { recursive: true });
      }
    }),
    { numRuns, seed: 7 },
  );
});
