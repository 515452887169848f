/**
 * Answers that need no model, to be scored by the same evaluation: the commonest answer of the training examples, and
 * copying, which lists or pairs the names known from training that stand in a text.
 */
import { majority } from "../metrics/classification.ts";
import type { Relation } from "../metrics/hard-match.ts";
import type { Example } from "./benchmark.ts";
import type { EntityPlace, NamedEntity } from "./entity-places.ts";
import { spacedWords } from "./spaced-words.ts";

export const copying = "copying names known from training";

/** The commonest gold of the training examples as the answer to each example. */
export const commonest = {
  about: "the commonest answer of training",
  answers<Gold>(train: readonly Example<Gold>[], examples: readonly Example<Gold>[]): Gold[] {
    const most = majority(train.map(({ gold }) => JSON.stringify(gold)));
    const { gold } = train.find((one) => JSON.stringify(one.gold) === most)!;
    return examples.map(() => gold);
  },
};

/** Names of `candidates` that stand in the text, by where they first do. */
function namesIn(text: string, candidates: ReadonlyMap<string, string>): string[] {
  const searched = spacedWords(text);
  const found = [...candidates].flatMap(([key, name]) => {
    const at = key.trim() === "" ? -1 : searched.indexOf(key);
    return at === -1 ? [] : [{ name, at }];
  });
  return found.sort((a, b) => a.at - b.at).map(({ name }) => name);
}

const keyed = (names: Iterable<string>): Map<string, string> =>
  new Map([...names].map((name) => [spacedWords(name), name]));

/**
 * Every known head with every known tail of the same text, in their commonest relation, or the commonest of all. Two
 * names that are both known as head and as tail are paired in the text's order only.
 */
export function copyRelations(
  train: readonly Example<readonly Relation[]>[],
  examples: readonly Example[],
): Relation[][] {
  const all = train.flatMap((one) => one.gold);
  const [heads, tails] = [keyed(all.map((one) => one.head)), keyed(all.map((one) => one.tail))];
  const common = majority(all.map((one) => one.relation)) ?? "";
  const pair = (head: string, tail: string): string => `${spacedWords(head)}\n${spacedWords(tail)}`;
  const seen = new Map<string, string[]>();
  for (const one of all) {
    const key = pair(one.head, one.tail);
    seen.set(key, [...(seen.get(key) ?? []), one.relation]);
  }
  return examples.map(({ text }) => {
    const foundHeads = namesIn(text, heads);
    const foundTails = namesIn(text, tails);
    const headRank = new Map(foundHeads.map((name, i) => [spacedWords(name), i]));
    const tailRank = new Map(foundTails.map((name, i) => [spacedWords(name), i]));
    return foundHeads.flatMap((head) =>
      foundTails.flatMap((tail) => {
        const [a, b] = [spacedWords(head), spacedWords(tail)];
        const reversed = tailRank.has(a) && (headRank.get(b) ?? Infinity) < (headRank.get(a) ?? Infinity);
        if (a === b || reversed) return [];
        return [{ head, tail, relation: majority(seen.get(pair(head, tail)) ?? []) ?? common }];
      }),
    );
  });
}

/** Every head with every tail of the same text, among the names given. */
export function copyPairs(
  heads: readonly string[],
  tails: readonly string[],
  examples: readonly Example[],
): Relation[][] {
  const [keyedHeads, keyedTails] = [keyed(heads), keyed(tails)];
  return examples.map(({ text }) => {
    const found = namesIn(text, keyedTails);
    return namesIn(text, keyedHeads).flatMap((head) => found.map((tail) => ({ head, tail, relation: "" })));
  });
}

/** Known names that stand in each text, by where they first do. */
export function knownNamesIn(names: Iterable<string>, examples: readonly Example[]): string[][] {
  const candidates = keyed(names);
  return examples.map(({ text }) => namesIn(text, candidates));
}

const longestName = 8; // words

/** Names annotated in training, the longest at each place, with the type they mostly had. */
export function copyEntities(
  train: readonly Example<readonly EntityPlace[]>[],
  examples: readonly Example[],
): NamedEntity[][] {
  const seen = new Map<string, string[]>();
  for (const { text, gold } of train) {
    for (const { start, end, type } of gold) {
      const key = spacedWords(text.slice(start, end));
      const types = seen.get(key);
      if (types === undefined) seen.set(key, [type]);
      else types.push(type);
    }
  }
  seen.delete(spacedWords(""));
  const known = new Map([...seen].map(([key, types]) => [key, majority(types)!]));
  return examples.map(({ text }) => {
    const tokens = [...text.matchAll(/[\p{L}\p{N}]+/gu)];
    const found: NamedEntity[] = [];
    for (let first = 0; first < tokens.length;) {
      let count = Math.min(longestName, tokens.length - first);
      const nameOf = (): string => {
        const last = tokens[first + count - 1]!;
        return text.slice(tokens[first]!.index, last.index + last[0].length);
      };
      while (count > 0 && !known.has(spacedWords(nameOf()))) count--;
      if (count > 0) found.push({ name: nameOf(), type: known.get(spacedWords(nameOf()))! });
      first += Math.max(1, count);
    }
    return found;
  });
}
