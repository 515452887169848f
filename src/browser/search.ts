/** A small index in a browser: the files that `galen index` wrote with its exact store, read once, and searched in memory. */
import type * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import type { Embedder } from "../retrieval/embed.ts";
import { dot, unit } from "../retrieval/vector-similarity.ts";
import { checked, parsedJson } from "../schema.ts";
import { type Change, createExactStore, type ExactLog } from "../search/exact.ts";
import { type IndexManifest, manifestSchema, noManifest } from "../search/manifest.ts";
import { searchStore } from "../search/over-store.ts";
import { passageText } from "../search/passages.ts";
import { changeOf, longestLine, noVectors, type Segments, segmentsSchema, withVectors } from "../search/segments.ts";
import { withWords } from "../search/segment-words.ts";
import type { SearchIndex } from "../search/types.ts";
import { type FetchOptions, type Files, type FilesSource, filesOf, textOf } from "./files.ts";

export interface OpenSearchOptions extends FetchOptions {
  /** The index's own model, opened by whoever searches; without one an index is searched by words alone. */
  readonly embedder?: Pick<Embedder, "embed" | "width"> | undefined;
}

/**
 * Opens an index that `galen index --store exact` made, for searching. It is read whole; what is added to it later is not
 * seen. The embedder stays its owner's to dispose of.
 * @throws DataError where there is none or it is damaged; ConfigError where LanceDB keeps it, or `embedder` is not its model.
 */
export async function openSearch(source: FilesSource, options: OpenSearchOptions = {}): Promise<SearchIndex> {
  const { embedder, ...fetching } = options;
  const files = filesOf(source, fetching);
  const manifest = await readFile(files, `${files.where}/index.json`, manifestSchema);
  if (manifest.store !== "exact") {
    throw new ConfigError(`${files.where}: expected an index with the exact store, got ${manifest.store}`, {
      hint: "make it with galen index --store exact",
    });
  }
  const changes = await readChanges(files, manifest.model?.width ?? 0);
  if (embedder !== undefined) await requireModel(files.where, manifest, embedder, changes);
  const store = createExactStore(given(changes));
  await store.count();
  const embed: SearchIndex["embed"] = async (role, texts) => (await embedder!.embed(texts, { role })).map(unit);
  return searchStore({ folder: files.where, store, embed: embedder && embed });
}

async function readFile<S extends z.ZodType>(files: Files, path: string, schema: S): Promise<z.output<S>> {
  const bytes = await files.read(path);
  if (bytes === undefined)
    throw new DataError(`${path}: expected an index with this file, got none`, { hint: noManifest });
  return checked(schema, parsedJson(textOf(path, bytes), path), path, DataError);
}

/** A log that is read once, and never written. */
function given(changes: readonly Change[]): ExactLog {
  let rest = changes;
  const refuse = (): Promise<never> => Promise.reject(new TypeError("an index in a browser is read alone"));
  return {
    async *read() {
      const read = rest;
      rest = [];
      yield* read;
    },
    append: refuse,
    rewrite: refuse,
    async [Symbol.asyncDispose]() {},
  };
}

/** What the segments hold, one after the other. */
async function readChanges(files: Files, width: number): Promise<Change[]> {
  const folder = `${files.where}/exact`;
  const { segments }: Segments = await readFile(files, `${folder}/segments.json`, segmentsSchema);
  const all: Change[] = [];
  for (const name of segments) {
    const path = `${folder}/${name}.jsonl`;
    const bytes = await files.read(path);
    if (bytes === undefined) throw new DataError(`${path}: expected a segment of the index, got none`);
    const lines = textOf(path, bytes).split("\n");
    if (lines.at(-1) === "") lines.pop();
    const changes = lines.map((line, i) => {
      if (line.length <= longestLine) return changeOf(line, `${path}:${i + 1}`);
      throw new DataError(`${path}:${i + 1}: expected at most ${longestLine} characters, got ${line.length}`);
    });
    const vectors = `${folder}/${name}.f32`;
    const read = async (): Promise<Uint8Array> => {
      const found = await files.read(vectors);
      if (found === undefined) throw noVectors(vectors);
      return found;
    };
    const words = `${folder}/${name}.words`;
    for (const change of withWords(await withVectors(changes, width, vectors, read), await files.read(words), words))
      all.push(change);
  }
  return all;
}

/** Vectors of the same text by the same model; eight bits and other processors stay well above. */
const leastCosine = 0.98;

/**
 * A page has no fingerprint of a model's files, so a passage of the index is embedded again.
 * @throws ConfigError where its vector is not the one that the index holds.
 */
async function requireModel(
  where: string,
  { model }: IndexManifest,
  embedder: Pick<Embedder, "embed" | "width">,
  changes: readonly Change[],
): Promise<void> {
  const refuse = (got: string): ConfigError =>
    new ConfigError(`${where}: expected the index's own model ${model?.source ?? "(none)"}, got ${got}`, {
      hint: model === null ? "leave the embedder out: the index has words alone" : "open an embedder of that model",
    });
  if (model === null) throw refuse("another");
  if (embedder.width !== model.width)
    throw refuse(`one whose vectors have ${embedder.width} numbers, not ${model.width}`);
  const put = changes.find((one) => one.kind === "put" && one.stored.passages.length > 0);
  if (put?.kind !== "put") return;
  const { stored } = put;
  const [passage] = stored.passages;
  const [vector] = await embedder.embed([passageText(stored.document, passage!)], { role: "document" });
  const cosine = dot(unit(vector!), passage!.vector!);
  if (!(cosine >= leastCosine)) {
    throw refuse(`one that gives ${stored.document.id} another vector (cosine ${cosine.toFixed(2)})`);
  }
}
