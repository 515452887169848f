/** From a small model to one with a larger vocabulary: its tokenizer learned on, its rows grown, training gone on with. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFloat32 } from "../src/checkpoints/safetensors.ts";
import { extendFromDocuments, type ExtendedFromDocuments, learnTokenizer } from "../src/corpus/index.ts";
import { loadModel } from "../src/model.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import type { Tokenizer } from "../src/tokenizers/tokenizer.ts";
import { growModel } from "../src/train/index.ts";
import { stdoutOf } from "./support/command-line.ts";
import { trainBy } from "./support/training.ts";

const place = mkdtempSync(join(tmpdir(), "galen-growth-"));
afterAll(() => rmSync(place, { recursive: true }));
const at = (name: string): string => join(place, name);
const documents = (name: string, texts: readonly string[]): string => {
  writeFileSync(at(name), texts.map((text, i) => `${JSON.stringify({ id: `${name}${i}`, text })}\n`).join(""));
  return at(name);
};
const general = documents(
  "general.jsonl",
  Array.from({ length: 30 }, (_, i) => `The old house number ${i} stood at the end of the road.\nNobody went there.`),
);
const domain = documents(
  "domain.jsonl",
  Array.from({ length: 60 }, (_, i) => `Thrombin number ${i} cleaves fibrinogen; prothrombin gives thrombin there.`),
);

let base: string;
let report: ExtendedFromDocuments;
let own: Tokenizer;
let extended: Tokenizer;
beforeAll(async () => {
  await learnTokenizer([general], { output: at("tokenizer"), kind: "byte-bpe", vocabSize: 290 });
  const inputs = { data: general, tokenizer: at("tokenizer"), output: at("base") };
  const settings = ["threads=1", "steps=2", "model.tie_word_embeddings=false"];
  ({ model: base } = await trainBy("llama-nano", settings, { ...inputs, scale: "debug" }));
  const options = { output: at("extended"), tokens: 9, heldOut: 0.2, seed: 1, general: [general] };
  report = await extendFromDocuments(base, [domain], options);
  [own, extended] = [await loadTokenizer(base), await loadTokenizer(at("extended"))];
});

test("the report says what the vocabulary changes", () => {
  const { domain: ofDomain, general: ofGeneral } = report;
  expect(report.vocabSize).toEqual({ before: 290, after: 299 });
  expect(report.dead).toEqual([]);
  expect(report.documents.learned + report.documents.heldOut).toBe(60);
  expect(ofDomain!.texts).toBe(report.documents.heldOut);
  expect(ofDomain!.tokensPerWord.after).toBeLessThan(ofDomain!.tokensPerWord.before - 1);
  expect(ofDomain!.roundTrips).toEqual({ before: 1, after: 1 });
  expect(ofDomain!.unchanged).toBe(0);
  // Nothing of the domain is in the general texts, which are lines here.
  expect(ofGeneral!.texts).toBe(60);
  expect(ofGeneral!.unchanged).toBe(1);
  expect(ofGeneral!.kept).toBe(1);
  expect(ofGeneral!.tokens.after).toBe(ofGeneral!.tokens.before);
  // "number" and "there" are general words; "gives", "cleaves" and three more are the domain's.
  expect(report.domainWords!.words).toBe(6);
  expect(report.mostUsed[0]!.count).toBeGreaterThan(0);
});

/** Rows of a model's table and of its head, by name. */
async function tables(folder: string): Promise<Map<string, { data: Float32Array; width: number; rows: number }>> {
  const { entries } = await openModelFolder(folder);
  const found = new Map<string, { data: Float32Array; width: number; rows: number }>();
  for (const name of ["model.embed_tokens.weight", "lm_head.weight"]) {
    const entry = entries.get(name)!;
    found.set(name, { data: await readFloat32(entry), width: entry.dims[1]!, rows: entry.dims[0]! });
  }
  return found;
}

describe("a grown model", () => {
  test("has a row for every token and fills up, table and head alike; new rows are the means of their pieces", async () => {
    await growModel(base, { tokenizer: extended, output: at("grown"), rowMultiple: 64 });
    const [before, after] = [await tables(base), await tables(at("grown"))];
    const piecesOf = extended.piecesAmong!(own.vocabSize);
    for (const [name, { data, width, rows }] of after) {
      expect(rows).toBe(320);
      const old = before.get(name)!;
      expect(data.subarray(0, old.data.length)).toEqual(old.data);
      for (let id = own.vocabSize; id < extended.vocabSize; id++) {
        const pieces = piecesOf(id);
        expect(pieces.length).toBeGreaterThan(1);
        for (let d = 0; d < width; d++) {
          const mean = pieces.reduce((sum, piece) => sum + old.data[piece * width + d]!, 0) / pieces.length;
          expect(data[id * width + d]).toBeCloseTo(mean, 6);
        }
      }
    }
  });

  test("scores texts without new tokens as before, among old tokens", async () => {
    await using small = await loadModel(base, { threads: 1 });
    await using large = await loadModel(at("grown"), { threads: 1 });
    const ids = [extended.encodeIds("The old house")];
    expect(ids[0]!.every((id) => id < own.vocabSize)).toBe(true);
    const [before, after] = [(await small.forward({ ids })).logits, (await large.forward({ ids })).logits];
    for (let t = 0; t < ids[0]!.length; t++) {
      for (let id = 0; id < 290; id++) expect(after.data[t * 320 + id]).toBeCloseTo(before.data[t * 290 + id]!, 4);
    }
  });

  test("never generates a row that no token has", async () => {
    await using model = await loadModel(at("grown"), { threads: 1 });
    const options = {
      prompts: ["The"],
      maxNewTokens: 60,
      doSample: true,
      temperature: 50,
      topK: 0,
      numReturnSequences: 8,
    };
    const { sequences } = await model.generate({ ...options, seed: 1 });
    const ids = sequences.flat();
    expect(Math.max(...ids)).toBeLessThan(extended.vocabSize);
    // At this temperature all tokens are nearly equally likely: without the mask 21 of 320 rows would come up.
    expect(ids.some((id) => id >= own.vocabSize)).toBe(true);
  });
});

test("training goes on from the grown rows, with some of what was known, and resumes bit for bit", async () => {
  const settings = ["threads=1", "steps=4", "save.every=2", "rowMultiple=64", "replay=0.5", "evaluate.examples=0"];
  const inputs = { model: base, tokenizer: at("extended"), data: domain, replay: general };
  const run = async (name: string, more: object = {}, own: readonly string[] = settings): ReturnType<typeof trainBy> =>
    trainBy("biollm-nano", own, { ...inputs, output: at(name), scale: "debug", ...more });
  const whole = await run("whole");
  const stopper = new AbortController();
  const stopped = await run("halves", {
    signal: stopper.signal,
    onEvent: (event: { type: string; step?: number }) =>
      void (event.type === "step" && event.step === 2 && stopper.abort()),
  });
  expect(stopped.stopped).toBe(true);
  const resumed = await run("halves", { resume: true });
  const [one, other] = [await tables(whole.model), await tables(resumed.model)];
  expect(other).toEqual(one);
  expect(one.get("lm_head.weight")!.rows).toBe(320);
  const record = JSON.parse(readFileSync(join(at("whole"), "run.json"), "utf8")) as {
    fingerprints: { replay: string };
  };
  expect(record.fingerprints.replay).toBeTruthy();
  const without = await run("without", {}, [...settings, "replay=0"]);
  expect(await tables(without.model)).not.toEqual(one);
});

test("the command says what a model loses before it is trained, by how new rows begin", async () => {
  const args = ["tokenizer", "extend", base, domain, "--tokens", "9", "--output", at("again"), "--general", general];
  const printed = await stdoutOf(...args, "--model", base, "--json");
  const { loss, dead } = JSON.parse(printed) as {
    dead: string[];
    loss: { before: number; after: Record<string, number> };
  };
  expect(dead).toEqual([]);
  expect(Object.keys(loss.after)).toEqual(["pieces", "first", "average", "random"]);
  // More tokens share what is certain: a text that has none of them is less likely than it was.
  for (const after of Object.values(loss.after)) expect(after).toBeGreaterThan(loss.before);
  const text = await stdoutOf(...args, "--overwrite");
  expect(text).toContain("dead tokens: 0 of 9");
});
