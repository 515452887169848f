/**
 * A linear classifier of texts that are like good examples and unlike bad ones, as fastText's of one vector a class (Joulin et
 * al. 2016, arXiv 1607.01759; used so by GPT-3 and DCLM): logistic regression on words and pairs of words, hashed into a table,
 * by stochastic gradients in a seeded order. The model is one small JSON file of eight-bit weights. What it finds good is what
 * it was shown: look at what it drops before trusting it.
 */
import { resolve } from "node:path";
import * as z from "zod";
import { readTexts } from "../../corpus/texts.ts";
import { ConfigError } from "../../errors.ts";
import { writeLocked } from "../../io/outputs.ts";
import { readJson } from "../../io/json.ts";
import { random } from "../../tensor/random.ts";
import { firstHash, nextHash } from "../text/chunk-cache.ts";
import type { MapStage } from "../stage.ts";

const modelSchema = z.strictObject({
  format: z.literal("galen-quality-1"),
  bits: z.int().min(8).max(22),
  bias: z.number(),
  /** Of a weight of 127. */
  scale: z.number(),
  weights: z.base64(),
});

/** How good a text is, 0 to 1. */
export type QualityScore = (text: string) => number;

export interface TrainOptions {
  readonly seed: number;
  /** The table has 2^bits weights. Default 17. */
  readonly bits?: number;
  readonly epochs?: number;
  readonly rate?: number;
}

/** Most words of a text that are looked at. */
const mostWords = 20_000;

/** Places in the table of a text's words and pairs of words, once each: a text is how it is written, not how long it is. */
function placesOf(text: string, bits: number): number[] {
  const places = new Set<number>();
  const add = (hash: number): void => void places.add(Math.imul(hash, 0x9e3779b1) >>> (32 - bits));
  let [before, count] = [0, 0];
  for (const [word] of text.matchAll(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu)) {
    if (++count > mostWords) break;
    let hash = firstHash;
    const lower = /^\p{N}/u.test(word) ? "0" : word.toLowerCase();
    for (let i = 0; i < lower.length; i++) hash = nextHash(hash, lower.charCodeAt(i));
    add(hash);
    add(nextHash(Math.imul(before, 31) ^ hash, 0x20));
    before = hash;
  }
  return [...places];
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

function scoreOf(places: readonly number[], weights: ArrayLike<number>, bias: number, scale: number): number {
  let sum = 0;
  for (const place of places) sum += weights[place]!;
  return logistic(bias + (scale * sum) / Math.sqrt(Math.max(1, places.length)));
}

/** Trains on texts of both sorts, each sort counting as much as the other. Returns the model's file. */
export function trainQuality(
  good: readonly string[],
  bad: readonly string[],
  { seed, bits = 17, epochs = 5, rate = 0.5 }: TrainOptions,
): string {
  if (good.length === 0 || bad.length === 0)
    throw new ConfigError(`quality: expected good and bad examples, got ${good.length} and ${bad.length}`);
  const weights = new Float64Array(2 ** bits);
  const squares = new Float64Array(2 ** bits);
  let bias = 0;
  const examples = [...good.map((text) => ({ text, label: 1 })), ...bad.map((text) => ({ text, label: 0 }))].map(
    ({ text, label }) => ({
      places: placesOf(text, bits),
      label,
      share: 0.5 / (label === 1 ? good.length : bad.length),
    }),
  );
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const { places, label, share } of random(seed, epoch).shuffle([...examples])) {
      const norm = Math.sqrt(Math.max(1, places.length));
      const error = (label - scoreOf(places, weights, bias, 1)) * share * examples.length;
      bias += 0.1 * rate * error;
      for (const place of places) {
        const gradient = error / norm;
        // Adagrad (Duchi et al. 2011): rare words learn as fast as frequent ones.
        squares[place]! += gradient * gradient;
        weights[place]! += (rate * gradient) / (0.1 + Math.sqrt(squares[place]!));
      }
    }
  }
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  const scale = largest === 0 ? 1 : largest / 127;
  const bytes = Int8Array.from(weights, (weight) => Math.round(weight / scale));
  const model: z.output<typeof modelSchema> = {
    format: "galen-quality-1",
    bits,
    bias,
    scale,
    weights: Buffer.from(bytes.buffer).toString("base64"),
  };
  return `${JSON.stringify(model)}\n`;
}

/** Trains on the texts of files and writes the model. */
export async function trainQualityFiles(
  good: readonly string[],
  bad: readonly string[],
  output: string,
  options: TrainOptions,
): Promise<void> {
  const read = async (paths: readonly string[]): Promise<string[]> => {
    const texts: string[] = [];
    for (const path of paths) for await (const { text } of readTexts(path)) texts.push(text);
    return texts;
  };
  await writeLocked(output, trainQuality(await read(good), await read(bad), options));
}

/** @throws ConfigError for a model that is none. */
export function qualityScore(model: z.output<typeof modelSchema>): QualityScore {
  const bytes = Buffer.from(model.weights, "base64");
  const { bits, bias, scale } = model;
  if (bytes.length !== 2 ** bits) throw new ConfigError(`quality: expected ${2 ** bits} weights, got ${bytes.length}`);
  const weights = new Int8Array(bytes);
  return (text) => scoreOf(placesOf(text, bits), weights, bias, scale);
}

/** A model from its file. @throws DataError or ConfigError where it is none. */
export async function readQualityModel(path: string): Promise<QualityScore> {
  return qualityScore(await readJson(path, modelSchema, "galen corpus train-quality writes one"));
}

export const qualityClassifierSettings = z.strictObject({
  /** The model's file. */
  model: z.string().min(1),
  /** How good a text has to be, 0 to 1. */
  least: z.number().min(0).max(1).default(0.5),
});
export type QualityClassifierSettings = z.output<typeof qualityClassifierSettings>;

export const qualityClassifierStage: MapStage<QualityClassifierSettings> = {
  name: "quality-classifier",
  about: "Drops documents that a classifier, trained on good and bad examples of your own, finds bad",
  version: 1,
  rewrites: false,
  files: ({ model }) => [model],
  settings: qualityClassifierSettings,
  async open({ model, least }, { folder }) {
    const score = await readQualityModel(resolve(folder, model));
    return {
      run: (documents) =>
        documents.map(({ sections }) => {
          const prose = sections.filter(({ kind }) => kind === "abstract" || kind === "text");
          const found = score(prose.map(({ text }) => text).join("\n\n"));
          if (found >= least) return { keep: true };
          return { keep: false, rule: "quality-classifier", detail: `${found.toFixed(3)}, at least ${least}` };
        }),
    };
  },
};
