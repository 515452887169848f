/** Damaged and hostile GGUF files, llama2.c's, Meta's settings and adapters: a model, or an error that can be explained. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { inFile } from "../src/checkpoints/disk.ts";
import { readTensor } from "../src/checkpoints/entries.ts";
import { type GgufEntry, writeGguf } from "../src/checkpoints/gguf/write.ts";
import { convertModel } from "../src/convert.ts";
import type { OpenedFolder } from "../src/runtime/bind.ts";
import { openModelFolder } from "../src/runtime/folder.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { damaged, endsWell, fuzzRuns } from "./support/fuzz.ts";
import { mutatedJson } from "./support/mutations.ts";

const goldens = fileURLToPath(new URL("goldens", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-model-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Opens a model and reads every tensor; what is read is at most `most` bytes in all. */
async function readAll(path: string, most: number): Promise<OpenedFolder> {
  const model = await openModelFolder(path);
  let total = 0;
  for (const entry of model.entries.values()) total += (await readTensor(entry)).data.byteLength;
  expect(total).toBeLessThanOrEqual(most);
  return model;
}

const gguf = join(folder, "model.gguf");
await convertModel({ source: `${goldens}/llama/llama/model`, output: gguf, type: "f16" });
const model = await openModelFolder(gguf);
// With a vocabulary, and matrices in few bits, of which no model is made: rows of 64.
const pieces = ["<unk>", "<s>", "</s>", ..."abcdefgh ▁", "ab", "cd", "abcd", "▁ab"];
const wordPieces = [
  "[PAD]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "[MASK]",
  ...["a", "b", "ab", "ef"].map((one) => `▁${one}`),
  "cd",
];
const vocabularies: Readonly<Record<string, GgufEntry[]>> = {
  llama: [
    { key: "tokenizer.ggml.tokens", type: "string", value: pieces },
    { key: "tokenizer.ggml.scores", type: "float32", value: pieces.map((_, i) => -i) },
    { key: "tokenizer.ggml.token_type", type: "int32", value: pieces.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : 1)) },
    { key: "tokenizer.ggml.bos_token_id", type: "uint32", value: 1 },
  ],
  bert: [
    { key: "tokenizer.ggml.tokens", type: "string", value: wordPieces },
    { key: "tokenizer.ggml.token_type", type: "int32", value: wordPieces.map((_, i) => (i < 5 ? 3 : 1)) },
    { key: "tokenizer.ggml.normalizer.lowercase", type: "bool", value: true },
    ...Object.entries({ unknown: 1, bos: 2, seperator: 3, padding: 0, mask: 4 }).map(
      ([role, value]) => ({ key: `tokenizer.ggml.${role}_token_id`, type: "uint32", value }) as const,
    ),
  ],
};
const wordsOf = (kind: string): string => join(folder, `${kind}-words.gguf`);
for (const [kind, vocabulary] of Object.entries(vocabularies)) {
  await writeGguf(
    wordsOf(kind),
    [
      { key: "general.architecture", type: "string", value: "llama" },
      { key: "tokenizer.ggml.model", type: "string", value: kind },
      ...vocabulary,
    ],
    (["q4_0", "q8_0", "f16"] as const).map((type) => {
      const place = { name: type, file: wordsOf(kind), open: inFile(wordsOf(kind)), dtype: "float32" as const };
      const make = async (): Promise<Float32Array> => Float32Array.from({ length: 256 }, (_, i) => Math.sin(i));
      return { name: type, entry: { ...place, dims: [4, 64], offset: 0, byteLength: 1024, make }, type };
    }),
  );
}
const headerBytes = 2500;

/** Changes in the header, where all of the structure is. */
const damagedStart = (path: string): fc.Arbitrary<Buffer> => {
  const bytes = readFileSync(path);
  const [head, rest] = [bytes.subarray(0, headerBytes), bytes.subarray(headerBytes)];
  const marks = ["\u0001\0\0\0\0\0\0\0", "\u007f\u007f\u007f\u007f", "GGUF", "\u0009\0\0\0"];
  return fc.oneof(
    damaged(head, marks).map((changed) => Buffer.concat([changed, rest])),
    damaged(bytes, marks),
  );
};

test("GGUF: models", async () => {
  const path = join(folder, "damaged.gguf");
  expect(model.entries.size).toBeGreaterThan(5);
  await fc.assert(
    fc.asyncProperty(damagedStart(gguf), async (bytes) => {
      writeFileSync(path, bytes);
      await endsWell(() => readAll(path, 8 * bytes.length));
    }),
    fuzzRuns(2000),
  );
});

test.each(Object.keys(vocabularies))("GGUF: vocabularies of %s, and matrices in few bits", async (kind) => {
  const path = join(folder, "damaged-words.gguf");
  const { openGguf } = await import("../src/checkpoints/gguf/read.ts");
  const whole = await loadTokenizer(wordsOf(kind));
  expect(whole.encodeIds("abcd").length).toBeGreaterThan(whole.frame.before.length);
  await fc.assert(
    fc.asyncProperty(damagedStart(wordsOf(kind)), async (bytes) => {
      writeFileSync(path, bytes);
      await endsWell(async () => (await loadTokenizer(path)).encodeIds("ab cd"));
      await endsWell(async () => {
        for (const entry of (await openGguf(path)).entries.values()) {
          const { data } = await readTensor(entry);
          expect(data.byteLength).toBeLessThanOrEqual(8 * bytes.length);
          await entry.grouped?.read();
        }
      });
    }),
    fuzzRuns(2000),
  );
});

test("llama2.c's files in eight bits", async () => {
  const bytes = readFileSync(`${goldens}/meta/llama2c/shared.bin`);
  const path = join(folder, "damaged-eight.bin");
  const header = damaged(bytes.subarray(0, 48), ["\u0001\0\0\0", "\0\0\0\u0080"]);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        damaged(bytes),
        header.map((head) => Buffer.concat([head, bytes.subarray(48)])),
      ),
      async (some) => {
        writeFileSync(path, some);
        await endsWell(async () => {
          const { entries } = await readAll(path, 8 * some.length);
          for (const entry of entries.values()) await entry.grouped?.read();
        });
      },
    ),
    fuzzRuns(500),
  );
});

test("llama2.c's files", async () => {
  const sizes = [8, 12, 2, 4, 2, 20, 16]; // dim, inner, layers, heads, key heads, vocabulary, positions
  const numbers = 20 * 8 + 2 * (8 + 64 + 32 + 32 + 64 + 8 + 3 * 96) + 8 + 16 * 2;
  const bytes = Buffer.concat([Buffer.from(new Int32Array(sizes).buffer), Buffer.alloc(4 * numbers, 1)]);
  const path = join(folder, "damaged.bin");
  writeFileSync(path, bytes);
  await readAll(path, bytes.length);
  const header = damaged(bytes.subarray(0, 28), ["\u0001\0\0\0", "\0\0\0\u0080"]);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        damaged(bytes),
        header.map((head) => Buffer.concat([head, bytes.subarray(28)])),
      ),
      async (some) => {
        writeFileSync(path, some);
        await endsWell(() => readAll(path, some.length));
      },
    ),
    fuzzRuns(300),
  );
});

test("params.json", async () => {
  const place = join(folder, "meta");
  cpSync(`${goldens}/meta/two`, place, { recursive: true });
  const params = JSON.parse(readFileSync(join(place, "params.json"), "utf8"));
  await fc.assert(
    fc.asyncProperty(mutatedJson(params), async (value) => {
      writeFileSync(join(place, "params.json"), JSON.stringify(value) ?? "");
      await endsWell(() => readAll(place, 200_000));
    }),
    fuzzRuns(150),
  );
});

test("adapter_config.json", async () => {
  const place = join(folder, "adapters/patterns");
  mkdirSync(place, { recursive: true });
  cpSync(`${goldens}/peft/patterns`, place, { recursive: true });
  const config = { ...JSON.parse(readFileSync(join(place, "adapter_config.json"), "utf8")) };
  config.base_model_name_or_path = `${goldens}/llama/llama/model`;
  await fc.assert(
    fc.asyncProperty(mutatedJson(config), async (value) => {
      writeFileSync(join(place, "adapter_config.json"), JSON.stringify(value) ?? "");
      await endsWell(() => readAll(place, 200_000));
    }),
    fuzzRuns(150),
  );
});
