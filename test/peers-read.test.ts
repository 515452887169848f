/**
 * Directories written here load in sentence-transformers and PyLate and give the same numbers (scripts/peers-read.py).
 * GALEN_PEERS names the environment: with sentence-transformers 5 and PyLate, or with sentence-transformers 6.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { readTensor, type TensorEntry } from "../src/checkpoints/safetensors.ts";
import { saveColbertFolder } from "../src/retrieval/colbert-folder.ts";
import { loadColbert } from "../src/retrieval/colbert.ts";
import { loadCrossEncoder, saveCrossEncoder } from "../src/retrieval/cross-encoder.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { saveSentenceFolder } from "../src/retrieval/sentence-write.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { peerPackage, peersFolder } from "./support/peers.ts";

const goldens = fileURLToPath(new URL("goldens/retrieval", import.meta.url));
const script = fileURLToPath(new URL("../scripts/peers-read.py", import.meta.url));
const { texts, pairs, queries } = JSON.parse(readFileSync(`${goldens}/goldens.json`, "utf8")) as {
  texts: string[];
  pairs: [string, string][];
  queries: string[];
};
const scratch = await mkdtemp(join(tmpdir(), "galen-peers-"));
afterAll(() => rm(scratch, { recursive: true }));

type Request = readonly [kind: string, folder: string, values: unknown];

/** All in one process: importing the libraries takes most of the time. */
function ask(requests: readonly Request[]): number[][][] {
  const settings = { input: JSON.stringify(requests), stdio: "pipe", maxBuffer: 1 << 28 } as const;
  const output = execFileSync(join(peersFolder, "bin/python"), [script], settings);
  return JSON.parse(output.toString().trim().split("\n").at(-1)!);
}

async function tensors(entries: ReadonlyMap<string, TensorEntry>): Promise<Map<string, Tensor>> {
  const read = [...entries].map(async ([name, entry]) => [name, await readTensor(entry)] as const);
  return new Map(await Promise.all(read));
}

function expectClose(actual: readonly ArrayLike<number>[], expected: readonly number[][]): void {
  expect(actual.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  const apart = expected.map((row, i) => Math.max(...row.map((x, k) => Math.abs(x - actual[i]![k]!))));
  expect(Math.max(...apart)).toBeLessThan(1e-5);
}

test.skipIf(peerPackage("sentence_transformers") === undefined)(
  "directories written here give the same numbers there",
  async () => {
    const requests: Request[] = [];
    const ours: ArrayLike<number>[][] = [];
    for (const name of ["mean", "every", "prompt", "../modernbert/sentence"]) {
      await using embedder = await loadEmbedder(`${goldens}/${name}`);
      const { model, stages, entries, maxTokens, prompts, defaultPrompt } = embedder.folder;
      const folder = join(scratch, name.replaceAll(/\W/g, "-"));
      await saveSentenceFolder(
        folder,
        { config: model.config, tokenizer: embedder.tokenizer, parameters: await tensors(entries) },
        { stages, width: model.config.hidden_size, maxTokens, prompts, defaultPrompt },
      );
      requests.push(["embedder", folder, texts]);
      ours.push(await embedder.embed(texts));
    }

    await using encoder = await loadCrossEncoder(`${goldens}/cross-old`);
    const cross = join(scratch, "cross");
    await saveCrossEncoder(cross, {
      ...encoder,
      config: encoder.model.config,
      parameters: await tensors(encoder.model.entries),
    });
    requests.push(["cross-encoder", cross, pairs]);
    ours.push([...(await encoder.score(pairs)).scores].map((score) => [score]));

    await using model = await loadColbert(`${goldens}/colbert`, { onCut: () => undefined });
    const { entries, model: network, ...rest } = model.folder;
    const colbert = join(scratch, "colbert");
    const parts = { config: network.config, tokenizer: model.tokenizer, parameters: await tensors(entries) };
    await saveColbertFolder(colbert, parts, rest);
    requests.push(["colbert-queries", colbert, queries], ["colbert-documents", colbert, texts]);
    ours.push((await model.encodeQueries(queries)).map(({ data }) => data));
    ours.push((await model.encodeDocuments(texts)).map(({ data }) => data));

    const theirs = ask(requests);
    theirs.forEach((expected, i) => expectClose(ours[i]!, expected));
  },
);
