/** A tiny random BioGPT with a tokenizer, and a relation task with data, for tests that tune, predict and extract. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bioGpt } from "../../src/models/biogpt/biogpt.ts";
import { scoringGraph } from "../../src/models/graphs.ts";
import { allocateParameters, initialise } from "../../src/runtime/parameters.ts";
import { random } from "../../src/tensor/random.ts";
import { type BioGptTokenizer, trainBioGptTokenizer } from "../../src/tokenizers/index.ts";
import { saveModel } from "../../src/train/checkpoint.ts";

const drugs = ["Aspirin", "Warfarin", "Codeine", "Insulin", "Quinine", "Heparin"];
const verbs = { raises: "effect", lowers: "mechanism" } as const;

export const schema = {
  kind: "relation",
  name: "tiny",
  relations: ["effect", "mechanism"],
  promptLength: 2,
  maxPositions: 64,
  maxSourceTokens: 40,
  learningRate: 1e-2,
  warmupUpdates: 5,
  epochs: 4,
} as const;

export interface TinyDocument {
  readonly id: string;
  readonly text: string;
  readonly relations: { head: string; tail: string; relation: string }[];
}

/** "Aspirin raises Warfarin levels in man." and what it says. */
export function tinyDocuments(count: number, seed: number): TinyDocument[] {
  const draw = random(seed);
  return Array.from({ length: count }, (_, i) => {
    const head = drugs[draw.integer(drugs.length)]!;
    const tail = drugs[draw.integer(drugs.length)]!;
    const verb = (["raises", "lowers"] as const)[draw.integer(2)]!;
    const filler = Array.from({ length: draw.integer(4) }, () => "again and").join(" ");
    const text = `${head} ${verb} ${tail} levels ${filler} in man.`;
    return { id: `doc-${i}`, text, relations: [{ head, tail, relation: verbs[verb] }] };
  });
}

/** Writes FOLDER/start (model), FOLDER/data (train, valid, test) and FOLDER/schema.json. */
export async function writeTinyTask(folder: string): Promise<{ start: string; data: string; schema: string }> {
  const splits = { train: tinyDocuments(120, 1), valid: tinyDocuments(8, 2), test: tinyDocuments(12, 3) };
  mkdirSync(join(folder, "data"), { recursive: true });
  for (const [name, documents] of Object.entries(splits)) {
    writeFileSync(join(folder, "data", `${name}.jsonl`), documents.map((one) => `${JSON.stringify(one)}\n`).join(""));
  }
  writeFileSync(join(folder, "schema.json"), JSON.stringify(schema));
  const tokenizer = await tinyTokenizer();
  const start = join(folder, "start");
  const config = {
    ...bioGpt.sizes["nano"]!,
    vocab_size: tokenizer.vocabSize,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 128,
    max_position_embeddings: 64,
    initializer_range: 0.15, // so that positions differ enough for copying to be learned in seconds
  };
  const graph = scoringGraph(bioGpt, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 5);
  const json = JSON.stringify({ architectures: [bioGpt.architecture], ...config });
  await saveModel(start, parameters.tensors, new Map([...tokenizer.files(), ["config.json", json]]));
  return { start, data: join(folder, "data"), schema: join(folder, "schema.json") };
}

function tinyTokenizer(): Promise<BioGptTokenizer> {
  const words = "the interaction between and is effect mechanism no stated ; ... learned";
  const lines = [...tinyDocuments(60, 4).flatMap(({ text }) => [text, text.toLowerCase()]), ...Array(20).fill(words)];
  return trainBioGptTokenizer(lines, { numMerges: 150 });
}
