/** BERT as its older files have it: BioBERT's, SciBERT's, BlueBERT's, ClinicalBERT's layouts (scripts/goldens/old-bert.py). */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { openSafetensors } from "../src/checkpoints/safetensors.ts";
import { convertModel } from "../src/convert.ts";
import { loadModel } from "../src/model.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { encodesPairs } from "../src/tokenizers/index.ts";
import { largestDifference } from "./support/goldens.ts";

interface Golden {
  readonly ids: number[][];
  readonly pair: number[];
  readonly row: number[];
  readonly pooler: boolean;
  readonly hidden: number[];
  readonly pooled?: number[];
  readonly logits?: number[];
}

const folder = fileURLToPath(new URL("goldens/old-bert", import.meta.url));
const { texts, folders } = JSON.parse(readFileSync(join(folder, "goldens.json"), "utf8")) as {
  texts: string[];
  folders: Record<string, Golden>;
};
const scratch = mkdtempSync(join(tmpdir(), "galen-old-bert-"));
afterAll(() => rmSync(scratch, { recursive: true }));

async function expectFigures(directory: string, golden: Golden): Promise<void> {
  await using model = await loadModel(directory, { threads: 1 });
  const { hidden, pooled } = await model.hidden({ ids: [golden.row] });
  expect(largestDifference(hidden.data, golden.hidden)).toBeLessThan(1e-4);
  expect(pooled === undefined).toBe(!golden.pooler);
  if (pooled !== undefined) expect(largestDifference(pooled.data, golden.pooled!)).toBeLessThan(1e-4);
  if (golden.logits === undefined) {
    await expect(model.forward({ ids: [golden.row] })).rejects.toThrow("expected a model with a head, got BertModel");
  } else {
    const { logits } = await model.forward({ ids: [golden.row] });
    expect(largestDifference(logits.data, golden.logits)).toBeLessThan(1e-4);
  }
}

describe.each(Object.entries(folders))("a folder like %s", (name, golden) => {
  test("gives transformers' ids, of texts and of pairs", async () => {
    const tokenizer = await loadTokenizer(join(folder, name));
    expect(texts.map((text) => tokenizer.encode(text).ids)).toEqual(golden.ids);
    if (!encodesPairs(tokenizer)) throw new Error("expected a tokenizer of pairs");
    expect(tokenizer.encodePair(texts[0]!, texts[2]!).ids).toEqual(golden.pair);
  });

  test("gives transformers' hidden states, pooled vectors and logits", async () => {
    await expectFigures(join(folder, name), golden);
  });

  test("is written as a folder of today that gives the same", async () => {
    const output = join(scratch, name);
    const { parity, tokenizer } = await convertModel({ source: join(folder, name), output });
    expect(parity.difference).toBe(0);
    expect(tokenizer).toBe(true);
    expect(JSON.parse(readFileSync(join(output, "config.json"), "utf8"))).toMatchObject({ model_type: "bert" });
    await expectFigures(output, golden);
    const { entries } = await openSafetensors(join(output, "model.safetensors"));
    expect([...entries.keys()].filter((key) => /gamma|beta|position_ids/.test(key))).toEqual([]);
    const written = await loadTokenizer(output);
    expect(texts.map((text) => written.encode(text).ids)).toEqual(golden.ids);
  });
});

test("cased and uncased vocabularies are told apart by the settings alone", () => {
  expect(folders["biobert"]!.ids[0]).not.toEqual(folders["biobert"]!.ids[1]);
  expect(folders["scibert"]!.ids[0]).toEqual(folders["scibert"]!.ids[1]);
});

describe("a config.json without model_type is BERT's by its fields alone", () => {
  const config = JSON.parse(readFileSync(join(folder, "scibert/config.json"), "utf8")) as Record<string, unknown>;
  test.each([
    ["of RoBERTa, which has one type of token", { type_vocab_size: 1 }],
    ["of ELECTRA and ALBERT, whose table is narrower", { embedding_size: 4 }],
    ["of DeBERTa", { relative_attention: true }],
    ["that names another class", { architectures: ["RobertaForMaskedLM"] }],
    ["without layers", { num_hidden_layers: undefined }],
  ])("not one %s", async (_, changed) => {
    const other = mkdtempSync(join(scratch, "other-"));
    cpSync(join(folder, "scibert"), other, { recursive: true });
    writeFileSync(join(other, "config.json"), JSON.stringify({ ...config, ...changed }));
    await expect(loadModel(other)).rejects.toThrow("model_type: expected one of");
  });
});
