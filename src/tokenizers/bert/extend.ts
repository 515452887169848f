/**
 * A WordPiece vocabulary learned on from texts. Neighbouring pieces merge as in training; since words are cut by the
 * longest piece, steps on the way to a long one need not be kept: of more than were asked for, those stay that words are
 * cut into most often.
 */
import { ConfigError } from "../../errors.ts";
import { learnNext, type Runs, runsOf, standingOf, tooFew } from "../bpe/continue.ts";
import type { Extended, Texts, TokenizerFiles } from "../tokenizer.ts";
import { bertTokenizer } from "./bert.ts";
import { type BertDescription, readBertFiles } from "./files.ts";
import { countBertWords } from "./train.ts";
import { wordPieces } from "./wordpiece.ts";

/**
 * The tokenizer of these files with `tokens` more, learned from texts.
 * @throws ConfigError where an added token could be taken for a word; DataError where the texts are too few.
 */
export async function extendBertTokenizer(
  files: TokenizerFiles,
  texts: Texts,
  { tokens: count }: { readonly tokens: number },
): Promise<Extended> {
  const description = withAddedInside(readBertFiles(files));
  const { model } = description;
  const words = await countBertWords(texts, description.normalizer);
  const runs = runsOf((piece) => {
    if (piece.startsWith(model.prefix)) return standingOf(piece.slice(model.prefix.length));
    return standingOf(` ${piece}`);
  });
  const names = [...description.ids.keys()];
  for (const [token, id] of description.ids) names[id] = token;
  cutAll(description, words, (ids, times) =>
    runs.add(
      ids.map((id) => names[id]!),
      times,
    ),
  );
  const characters = uncovered(description);
  const learned = mostUseful(description, words, runs, count - characters.length);
  const tokens = [...characters, ...learned].slice(0, count);
  const extended = withTokens(description, tokens);
  const counts = countsOf(extended, words);
  const added = tokens.map((token, i) => {
    const id = description.ids.size + i;
    const text = token.startsWith(model.prefix) ? token.slice(model.prefix.length) : token;
    return { id, token, text, count: counts.get(id) ?? 0 };
  });
  return { tokenizer: bertTokenizer(extended), added };
}

/**
 * Characters that only longer pieces have inside words. A word that is cut elsewhere than before may need them by
 * themselves; without them it would become unknown.
 */
function uncovered({ model: { vocabulary, prefix } }: BertDescription): string[] {
  const inside = new Set<string>();
  for (const token of vocabulary.keys()) {
    const isInside = token.startsWith(prefix);
    const own = Array.from(isInside ? token.slice(prefix.length) : token);
    if (standingOf(own.join("")) === "apart") continue;
    for (const character of isInside ? own : own.slice(1)) inside.add(prefix + character);
  }
  return [...inside].filter((token) => !vocabulary.has(token)).sort();
}

/** In the order in which they were learned. @throws DataError where the texts have fewer. */
function mostUseful(
  description: BertDescription,
  words: ReadonlyMap<string, number>,
  runs: Runs,
  count: number,
): string[] {
  const { vocabulary, prefix } = description.model;
  const join = (left: string, right: string): string => left + right.slice(prefix.length);
  for (let target = count; target > 0;) {
    const known = new Set<string>();
    const allows = (product: string): boolean =>
      !vocabulary.has(product) && !known.has(product) && known.add(product) !== undefined;
    const { counts } = learnNext(runs, target, { join, allows });
    const tokens = [...known];
    const occurring = countsOf(withTokens(description, tokens), words);
    const uses = tokens.map((_, i) => occurring.get(description.ids.size + i) ?? 0);
    // What is used half as often as the last one was learned for would have been learned soon, were it no step.
    const isAll = tokens.length < target;
    const enough = isAll ? 1 : counts.at(-1)! / 2;
    const useful = uses.filter((times) => times >= enough).length;
    if (useful >= count) {
      const least = uses.toSorted((a, b) => b - a)[count - 1]!;
      return tokens.filter((_, i) => uses[i]! >= least).slice(0, count);
    }
    if (isAll) throw tooFew(count, useful);
    target += count - useful;
  }
  return [];
}

/** How often words are cut into each piece. */
function countsOf(description: BertDescription, words: ReadonlyMap<string, number>): Map<number, number> {
  const counts = new Map<number, number>();
  cutAll(description, words, (ids, times) => {
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + times);
  });
  return counts;
}

function cutAll(
  { model }: BertDescription,
  words: ReadonlyMap<string, number>,
  take: (ids: readonly number[], count: number) => void,
): void {
  const cut = wordPieces(model);
  for (const [word, count] of words) {
    const ids: number[] = [];
    cut(word, ids, []);
    take(ids, count);
  }
}

/** Tokens that were added behind the vocabulary stand in it, for others to follow them. */
function withAddedInside(description: BertDescription): BertDescription {
  const vocabulary = new Map(description.model.vocabulary);
  for (const { content, id } of description.addedTokens) {
    if (vocabulary.has(content)) continue;
    if (/^[\p{L}\p{M}\p{N}]+$/u.test(content)) {
      throw new ConfigError(`extend: expected added tokens that are no words, got ${JSON.stringify(content)}`, {
        hint: "words would be cut by it; extend the tokenizer without it, and add it to the result",
      });
    }
    vocabulary.set(content, id);
  }
  return { ...description, model: { ...description.model, vocabulary } };
}

function withTokens(description: BertDescription, tokens: readonly string[]): BertDescription {
  const vocabulary = new Map(description.model.vocabulary);
  const ids = new Map(description.ids);
  tokens.forEach((token, i) => {
    vocabulary.set(token, description.ids.size + i);
    ids.set(token, description.ids.size + i);
  });
  return { ...description, model: { ...description.model, vocabulary }, ids };
}
