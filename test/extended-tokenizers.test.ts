/**
 * Extended tokenizers against the reference libraries on 10,000 real texts (scripts/goldens/extend.py): their ids of
 * tokenizer.json, tokenizer.model and whole folders, by a digest.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { extendFromDocuments, learnTokenizer, readDocuments } from "../src/corpus/index.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { filesOfSentencePiece, readTokenizer, type Tokenizer } from "../src/tokenizers/index.ts";
import { hasShared, shared } from "./support/shared.ts";

interface Digest {
  readonly tokens: number;
  readonly sha256: string;
}

const golden = JSON.parse(readFileSync(new URL("goldens/extend.json", import.meta.url), "utf8")) as {
  files: string[];
  ofEach: number;
  characters: number;
  cases: { kind: string; base: string; documents: string; tokens: number; ids: Record<string, Digest> }[];
};
const corpus = (name: string): string => shared(`data/corpus/${name}.jsonl.zst`);

function digest(tokenizer: Tokenizer, texts: readonly string[]): Digest {
  const sha = createHash("sha256");
  let tokens = 0;
  for (const text of texts) {
    const ids = tokenizer.encodeIds(text);
    sha.update(Int32Array.of(ids.length, ...ids));
    tokens += ids.length;
  }
  return { tokens, sha256: sha.digest("hex") };
}

describe.skipIf(!hasShared("data/corpus") || !hasShared("data/tokenizers"))("on 10,000 texts", () => {
  const place = mkdtempSync(join(tmpdir(), "galen-extended-"));
  afterAll(() => rmSync(place, { recursive: true }));
  const texts: string[] = [];
  beforeAll(async () => {
    for (const name of golden.files) {
      for await (const { text } of readDocuments([corpus(name)], { limit: golden.ofEach })) {
        texts.push(Array.from(text).slice(0, golden.characters).join(""));
      }
    }
  });

  test.each(golden.cases)("$kind gives the libraries' ids, and no token is dead", async (one) => {
    const { kind, base, documents, tokens, ids } = one;
    const start = base === "train" ? join(place, "base") : shared(`data/tokenizers/${base}`);
    if (base === "train") await learnTokenizer([corpus("abstracts")], { output: start, kind, vocabSize: 4000 });
    const output = join(place, kind);
    // As the command does by itself.
    const { dead, files } = await extendFromDocuments(start, [corpus(documents)], {
      output,
      tokens,
      heldOut: 0.02,
      seed: 1,
    });
    expect(dead).toEqual([]);
    const tokenizer = await loadTokenizer(output);
    for (const library of ["tokenizers", "transformers"]) {
      if (ids[library] !== undefined) expect(digest(tokenizer, texts), library).toEqual(ids[library]);
    }
    if (ids["sentencepiece"] === undefined) return;
    expect(files).toContain("tokenizer.model");
    const model = readFileSync(join(output, "tokenizer.model"));
    expect(digest(readTokenizer(filesOfSentencePiece(model, new Map())), texts)).toEqual(ids["sentencepiece"]);
  });

  test("texts without new tokens keep the ids that they had", async () => {
    for (const { kind, base } of golden.cases) {
      const own = await loadTokenizer(base === "train" ? join(place, "base") : shared(`data/tokenizers/${base}`));
      const extended = await loadTokenizer(join(place, kind));
      let same = 0;
      for (const text of texts.flatMap((whole) => whole.slice(0, 200).split(/[.\n]/))) {
        const ids = extended.encodeIds(text);
        if (ids.some((id) => id >= own.vocabSize)) continue;
        expect(ids).toEqual(own.encodeIds(text));
        same += 1;
      }
      expect(same).toBeGreaterThan(1000);
    }
  });
});
