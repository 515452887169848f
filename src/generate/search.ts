/** What greedy search, sampling and beam search share: a prompt with its limits, its processors and its end. */
import { repeatGuard } from "./guards.ts";
import type { Limits, Settings } from "./options.ts";
import {
  badWords,
  minP,
  minimumLength,
  noRepeatNgrams,
  type Processor,
  repetitionPenalty,
  temperature,
  topK,
  topP,
} from "./processors.ts";

/** One prompt to continue. */
export interface Job {
  readonly prompt: readonly number[];
  readonly limits: Limits;
  readonly processors: readonly Processor[];
  /** Whether a sequence, prompt included, ends with its last token, its length aside. */
  ends(ids: readonly number[]): boolean;
}

/** A finished sequence, prompt included. */
export interface Finished {
  readonly ids: number[];
  /** Of each new token. */
  readonly logProbabilities: readonly number[];
  readonly score: number;
}

/** @param stops whether a stop string ends a sequence. @param extra the caller's own processors, which come first. */
export function createJob(
  prompt: readonly number[],
  limits: Limits,
  settings: Settings,
  stops: (ids: readonly number[], prompt: number) => boolean,
  extra: readonly Processor[] = [],
): Job {
  const { eosTokenId } = settings;
  const ends = (ids: readonly number[]): boolean => eosTokenId.includes(ids.at(-1)!) || stops(ids, prompt.length);
  return { prompt, limits, processors: [...extra, ...processorsOf(settings, limits, prompt.length)], ends };
}

/** In transformers' order; the repeat guard, which it has not, stands where nothing else can forbid the end. */
function processorsOf(settings: Settings, limits: Limits, prompt: number): Processor[] {
  const { eosTokenId, numBeams } = settings;
  const processors: Processor[] = [];
  if (settings.repetitionPenalty !== 1) processors.push(repetitionPenalty(settings.repetitionPenalty));
  if (settings.noRepeatNgramSize > 0) processors.push(noRepeatNgrams(settings.noRepeatNgramSize));
  if (settings.badWordsIds.length > 0) processors.push(badWords(settings.badWordsIds, eosTokenId));
  if (limits.least > 0) processors.push(minimumLength(limits.least, eosTokenId));
  const guarded = settings.repeatGuard === "beams" ? numBeams > 1 : settings.repeatGuard;
  if (guarded && eosTokenId.length > 0) processors.push(repeatGuard(prompt, eosTokenId[0]!, limits.least));
  if (!settings.doSample) return processors;
  // A beam must be able to go on where its best token ends it.
  const keep = numBeams > 1 ? eosTokenId.length + 1 : 1;
  if (settings.temperature !== 1) processors.push(temperature(settings.temperature));
  if (settings.topK > 0) processors.push(topK(Math.max(settings.topK, keep)));
  if (settings.topP < 1) processors.push(topP(settings.topP, keep));
  if (settings.minP !== undefined) processors.push(minP(settings.minP, keep));
  return processors;
}
