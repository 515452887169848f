/** Sizes in config.json that the weights do not have are refused at once, by the field. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { loadModel } from "../model.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-sizes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const golden = (name: string): string => fileURLToPath(new URL(`../../test/goldens/${name}`, import.meta.url));
const many = 1_000_000_000;

function copyOf(name: string, fields: object): string {
  const directory = mkdtempSync(join(folder, "model-"));
  cpSync(golden(name), directory, { recursive: true });
  const path = join(directory, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...config, ...fields }));
  return directory;
}

describe.each([
  ["biogpt/model", ["num_hidden_layers", "vocab_size", "max_position_embeddings", "hidden_size", "intermediate_size"]],
  [
    "bert/masked",
    ["num_hidden_layers", "vocab_size", "max_position_embeddings", "type_vocab_size", "intermediate_size"],
  ],
  ["bert/bare", ["num_hidden_layers", "vocab_size", "max_position_embeddings"]],
  ["bert/hash", ["num_hidden_layers", "max_position_embeddings"]],
  ["biogpt-heads/single", ["num_labels", "num_hidden_layers"]],
  ["bert/single", ["num_labels"]],
  ["bert/tokens", ["num_labels"]],
] as const)("of %s", (name, fields) => {
  test.each(fields)("%s", async (field) => {
    const others =
      field === "num_labels" ? { id2label: undefined } : field === "hidden_size" ? { num_attention_heads: 1 } : {};
    for (const value of [many, 1e15]) {
      const directory = copyOf(name, { ...others, [field]: value });
      await expect(loadModel(directory)).rejects.toThrow(ConfigError);
      await expect(loadModel(directory)).rejects.toThrow(
        new RegExp(`config\\.json: ${field}: expected (at most )?\\d+, as the weights have, got ${value}`),
      );
    }
  });
});

test.each(["vocab_size", "note"])("%s of any depth is refused", async (field) => {
  const directory = copyOf("biogpt/model", {});
  const text = readFileSync(join(directory, "config.json"), "utf8");
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  writeFileSync(
    join(directory, "config.json"),
    text.replace("{", `{"${field}": ${deep},`).replace('"vocab_size":61', '"vocab":61'),
  );
  await expect(loadModel(directory)).rejects.toThrow(/expected at most 100 levels of nesting/);
});

test("fewer layers than the weights have are taken, as transformers takes them; fewer rows are not", async () => {
  await using model = await loadModel(copyOf("biogpt/model", { num_hidden_layers: 1 }), { threads: 1 });
  expect((await model.forward({ ids: [[2, 5]] })).logits.dims).toEqual([1, 2, 61]);
  await expect(loadModel(copyOf("biogpt/model", { vocab_size: 60 }))).rejects.toThrow(
    /vocab_size: expected 61, as the weights have, got 60 \("biogpt\.embed_tokens\.weight": expected shape \[60, 24\], got/,
  );
});
