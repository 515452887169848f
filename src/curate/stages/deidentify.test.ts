/** The stage: its settings, keys from files and the environment, counts, what it refuses. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { readTexts } from "../../corpus/texts.ts";
import { checked } from "../../schema.ts";
import type { Outcome } from "../stage.ts";
import { deidentifyStage } from "./deidentify.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-deidentify-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "secret.key"), "0123456789abcdef0123456789abcdef\n");
writeFileSync(join(folder, "short.key"), "0123\n");

const documentOf = (id: string, text: string): CorpusDocument => ({
  id,
  source: "ehr",
  kind: "clinical-notes",
  title: "",
  sections: [{ title: "", kind: "text", text }],
  date: null,
  language: null,
  licence: null,
  metadata: { patient: "7" },
});

async function run(settings: unknown, documents: readonly CorpusDocument[]): Promise<readonly Outcome[]> {
  const stage = await deidentifyStage.open(checked(deidentifyStage.settings, settings, "stage"), { folder });
  try {
    return await stage.run(documents);
  } finally {
    await stage.close?.();
  }
}

test("every document is kept, with counts by class and a marker", async () => {
  const outcomes = await run({ mode: "surrogate", key: "secret.key" }, [
    documentOf("note:1", "Dr. Roe saw Mary Smith on 3/14/2012."),
    documentOf("note:2", "No one is named."),
  ]);
  expect(outcomes).toMatchObject([
    { keep: true, changes: { NAME: 2, DATE: 1 }, document: { metadata: { deidentified: "surrogate, rules 1" } } },
    { keep: true, changes: {}, document: { metadata: { deidentified: "surrogate, rules 1" } } },
  ]);
});

test("a key in the environment gives what the same key in a file gives", async () => {
  process.env["GALEN_TEST_KEY"] = "0123456789abcdef0123456789abcdef";
  const documents = [documentOf("note:1", "Mary Smith, MRN 1234567, 3/14/2012")];
  expect(await run({ mode: "surrogate", key: "env:GALEN_TEST_KEY" }, documents)).toEqual(
    await run({ mode: "surrogate", key: "secret.key" }, documents),
  );
  delete process.env["GALEN_TEST_KEY"];
});

test.each([
  [{ mode: "surrogate" }, /expected "key"/],
  [{ mode: "surrogate", key: "absent.key" }, /absent\.key: expected a file with a secret key/],
  [{ mode: "surrogate", key: "short.key" }, /at least 16 bytes, got 4/],
  [{ mode: "mask", classes: ["NAMES"] }, /classes\.0/],
  [{ mode: "mask", tagger: "absent/model" }, /absent\/model/],
])("settings %j are refused", async (settings, message) => {
  await expect(run(settings, [])).rejects.toThrow(message);
});

describe.skipIf(!hasShared("data/clinical-notes/mtsamples.jsonl.zst"))("on real transcriptions", () => {
  test("every one is masked, in about as many places as when it was last read by eye", async () => {
    const stage = await deidentifyStage.open(checked(deidentifyStage.settings, { mode: "mask" }, "stage"), { folder });
    const counts: Record<string, number> = {};
    let documents = 0;
    for await (const { id, text } of readTexts(shared("data/clinical-notes/mtsamples.jsonl.zst"))) {
      const [outcome] = await stage.run([documentOf(id, text)]);
      if (outcome?.keep !== true) continue;
      documents++;
      for (const [name, count] of Object.entries(outcome.changes ?? {})) counts[name] = (counts[name] ?? 0) + count;
    }
    expect(documents).toBe(2355);
    expect(counts["NAME"]).toBeGreaterThan(1700);
    expect(counts["NAME"]).toBeLessThan(2300);
    expect(counts["DATE"]).toBeGreaterThan(1900);
    expect(counts["LOCATION"]).toBeLessThan(400);
  });
});
