/** Distillation of a teacher's sentence vectors: brought to the student's width by principal components, or the student's by a layer. */
// B texts, T tokens, K width of a vector
import * as z from "zod";
import { ConfigError } from "../../errors.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { cast, linear } from "../../graph/ops/index.ts";
import { readJsonLines } from "../../io/json.ts";
import { embeddingWidth } from "../../models/embedding.ts";
import { cosineLoss, squaredLoss } from "../../nn/losses.ts";
import { type Embedder, loadEmbedder } from "../../retrieval/embedder.ts";
import { type Context, type Inputs, type Objective, startFolder } from "./objective.ts";
import { principalComponents } from "./principal-components.ts";
import { openEmbeddingSource, saveEmbedding } from "./source.ts";
import { exampleSets, float32, readSplits, rowsOf, sayCut, type Splits, textFeeds, tower } from "./texts.ts";

export const distillationSettings = z.strictObject({
  kind: z.literal("distillation"),
  projection: z
    .enum(["pca", "learned", "none"])
    .describe(
      "pca: principal components of the teacher's vectors; learned: a layer on the student, left out of what is saved",
    ),
  loss: z.enum(["squared", "cosine"]).describe("How student and teacher are compared"),
  documentTokens: z.int().positive().describe("Most tokens of a text"),
});

/** A text with the vector that its embedding should be. */
interface Taught {
  readonly text: string;
  readonly vector: Float32Array;
}

/** The published script takes components of the first texts only. */
const componentTexts = 40_000;

/** @throws ConfigError without a teacher, or where its width is not the student's and no projection is asked for. */
export async function openDistillation(
  { projection, loss, documentTokens }: z.infer<typeof distillationSettings>,
  inputs: Inputs,
  context: Context,
): Promise<Objective> {
  const { device } = context;
  const source = await openEmbeddingSource(startFolder(inputs), documentTokens);
  sayCut(source, documentTokens, context);
  if (inputs.teacher === undefined) throw new ConfigError("teacher: expected a directory, got none");
  const texts = await readSplits(inputs, readTexts);
  const own = embeddingWidth(source.stages, source.config.hidden_size);
  await using teacher = await loadEmbedder(inputs.teacher, { device: device === "auto" ? "cpu" : device });
  const splits = await taught(teacher, texts, projection === "pca" ? own : undefined);
  const wanted = splits.train[0]!.vector.length;
  if (projection !== "learned" && wanted !== own) {
    throw new ConfigError(`objective.projection: expected teacher vectors of width ${own}, got ${wanted}`, {
      hint: 'use "pca" with a wider teacher, or "learned"',
    });
  }
  return {
    start: source,
    ...exampleSets(
      splits,
      ({ text }) => text.length,
      (some) => {
        const vectors = some.flatMap(({ vector }) => [...vector]);
        const rows = rowsOf(
          source,
          some.map(({ text }) => text),
          documentTokens,
        );
        const feeds = { ...textFeeds("texts", rows, source), teacher: float32(vectors, [some.length, wanted]) };
        return { feeds, count: some.length, work: some.length };
      },
    ),
    order: "length",
    reduction: "mean",
    unit: "examples",
    dropoutStream: 1,
    loss(g: Graph): Value {
      const vectors_BK = tower(g, source, "texts", ["B", "T"]);
      const init = { normal: 1 / Math.sqrt(own) };
      const weight = (): Value => g.head(() => g.scope("projection", () => g.param("weight", [wanted, own], init)));
      const student = projection === "learned" ? linear(vectors_BK, cast(weight(), "float32")) : vectors_BK;
      const target = g.input("teacher", "float32", ["B", wanted]);
      return loss === "squared" ? squaredLoss(student, target) : cosineLoss(student, target);
    },
    save: (folder, weights) => {
      const kept = new Map([...weights].filter(([name]) => !name.startsWith("projection.")));
      return saveEmbedding(folder, source, kept);
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function readTexts(path: string): Promise<string[]> {
  return (await readJsonLines(path, z.object({ text: z.string() }))).map(({ text }) => text);
}

/** Texts with the teacher's vectors; with a `width` that is not the teacher's, their principal components. No mean is taken away. */
async function taught(
  teacher: Embedder,
  { train, valid }: Splits<string>,
  width: number | undefined,
): Promise<Splits<Taught>> {
  const vectors = await teacher.embed(train);
  const project = width === undefined || teacher.width === width ? undefined : projectionOf(vectors, width);
  const pair = (texts: readonly string[], found: readonly Float32Array[]): Taught[] =>
    texts.map((text, i) => ({ text, vector: project === undefined ? found[i]! : project(found[i]!) }));
  return { train: pair(train, vectors), valid: valid && pair(valid, await teacher.embed(valid)) };
}

function projectionOf(vectors: readonly Float32Array[], width: number): (vector: Float32Array) => Float32Array {
  const components = principalComponents(vectors.slice(0, componentTexts), width);
  return (vector) =>
    Float32Array.from({ length: width }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < vector.length; k++) sum += vector[k]! * components[i * vector.length + k]!;
      return sum;
    });
}
