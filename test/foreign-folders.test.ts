/** What stands in a model's place: Git LFS pointers, adapters alone, wrapped models. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { openSafetensors, readTensor, writeSafetensors } from "../src/checkpoints/safetensors.ts";
import { readBytes } from "../src/io/bytes.ts";
import { GalenError } from "../src/errors.ts";
import { loadModel } from "../src/model.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { trainBertTokenizer } from "../src/tokenizers/bert/train.ts";
import { readDataset } from "../src/corpus/dataset.ts";
import { importPubMed } from "../src/corpus/pubmed/import.ts";
import { openTokens } from "../src/corpus/token-files.ts";
import { addTokenizer } from "./support/generation.ts";

const source = fileURLToPath(new URL("goldens/biogpt/model", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-foreign-"));
afterAll(() => rmSync(folder, { recursive: true }));
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 346293852\n`;
const copy = (name: string): string => {
  const directory = join(folder, name);
  cpSync(source, directory, { recursive: true });
  return directory;
};

describe("a Git LFS pointer is recognised in place of", () => {
  const said = (path: string): RegExp =>
    new RegExp(`${path.replaceAll(".", "\\.")}: expected the file itself, got a Git LFS pointer[^]*git lfs pull`);

  test.each(["config.json", "model.safetensors", "vocab.json", "merges.txt", "generation_config.json"])(
    "%s",
    async (name) => {
      const directory = copy(`pointer-${name}`);
      await addTokenizer(directory);
      writeFileSync(join(directory, name), pointer);
      const use = async (): Promise<void> => {
        await using model = await loadModel(directory, { threads: 1 });
        await loadTokenizer(directory);
        await model.generate({ prompts: "ab", maxNewTokens: 2 });
      };
      await expect(use()).rejects.toThrow(said(name));
      await expect(use()).rejects.toBeInstanceOf(GalenError);
    },
  );

  test.each(["tokenizer.json", "vocab.txt", "tokenizer_config.json"])("%s", async (name) => {
    const directory = join(folder, `tokenizer-${name}`);
    mkdirSync(directory);
    const files = (await trainBertTokenizer(["aspirin helps"], { vocabSize: 40 })).files();
    for (const [file, text] of files)
      if (file !== "tokenizer.json" || name !== "vocab.txt") writeFileSync(join(directory, file), text);
    writeFileSync(join(directory, name), pointer);
    await expect(loadTokenizer(directory)).rejects.toThrow(said(name));
  });

  test.each(["pytorch_model.bin", "model.pt", "model.safetensors.index.json"])("%s", async (name) => {
    const directory = copy(`pointer-${name}`);
    rmSync(join(directory, "model.safetensors"));
    writeFileSync(join(directory, name), pointer);
    await expect(loadModel(directory)).rejects.toThrow(said(name));
  });

  test.each(["texts.jsonl", "texts.txt.gz", "table.csv"])("%s", async (name) => {
    const path = join(folder, name);
    writeFileSync(path, pointer);
    await expect(readBytes(path).next()).rejects.toThrow(said(name));
  });

  test("a dataset's shards", async () => {
    const directory = join(folder, "dataset");
    const inputs = [fileURLToPath(new URL("../samples/pubmed-sample.xml", import.meta.url))];
    await importPubMed({ inputs, output: directory });
    const shard = readdirSync(directory, { recursive: true, encoding: "utf8" }).find((name) =>
      name.endsWith(".parquet"),
    )!;
    writeFileSync(join(directory, shard), pointer);
    await expect(readDataset(directory).next()).rejects.toThrow(said(shard));
  });

  test("token files", () => {
    for (const end of ["bin", "idx"]) writeFileSync(join(folder, `tokens.${end}`), pointer);
    expect(() => openTokens(join(folder, "tokens"))).toThrow(said("tokens.idx"));
  });
});

describe("an adapter's folder", () => {
  const adapter = { base_model_name_or_path: "./absent/biogpt", peft_type: "LORA", r: 8 };

  test("alone names its base, with a config.json and without", async () => {
    const directory = join(folder, "adapter");
    mkdirSync(directory);
    writeFileSync(join(directory, "adapter_config.json"), JSON.stringify(adapter));
    await expect(loadModel(directory)).rejects.toThrow(/adapter: expected adapter_model\.safetensors or .* got none/);
    await writeSafetensors(join(directory, "adapter_model.safetensors"), []);
    const said = /adapter: expected an adapter whose base is here, got "\.\/absent\/biogpt"\n.*--base DIR/;
    await expect(loadModel(directory)).rejects.toThrow(said);
    cpSync(join(source, "config.json"), join(directory, "config.json"));
    await expect(loadModel(directory)).rejects.toThrow(said);
    writeFileSync(join(directory, "adapter_config.json"), "{}");
    await expect(loadModel(directory)).rejects.toThrow(/whose base is here, got none that it names/);
  });

  test("beside a whole model's weights does not matter", async () => {
    const directory = copy("adapter-beside");
    writeFileSync(join(directory, "adapter_config.json"), JSON.stringify(adapter));
    await using model = await loadModel(directory, { threads: 1 });
    expect((await model.forward({ ids: [[2, 5]] })).logits.dims).toEqual([1, 2, 61]);
  });
});

test.each(["module.", "model.", "_orig_mod.", "base_model."])(
  "names that all carry the prefix %s are said to",
  async (prefix) => {
    const directory = copy(`prefix-${prefix}`);
    const path = join(directory, "model.safetensors");
    const tensors = [];
    for (const [name, entry] of (await openSafetensors(path)).entries)
      tensors.push({ ...(await readTensor(entry)), name: prefix + name });
    await writeSafetensors(path, tensors);
    await expect(loadModel(directory)).rejects.toThrow(`got all with the prefix "${prefix}" ("${prefix}biogpt.`);
    expect(readdirSync(directory).length).toBe(2);
    expect(readFileSync(path).length).toBeGreaterThan(1000);
  },
);
