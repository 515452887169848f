/**
 * Named-entity precision, recall and F1 on IOB2 tags: an entity counts when its type and both ends are right. Chunking
 * is either seqeval's default (conlleval's), where an I- that follows O, or another type, starts an entity, or that of
 * its strict mode with IOB2, where such an I- is nothing. The default understands B-X, I-X, S-X and E-X; a bare B or I
 * (files of one entity type) has the type "_".
 */
import { countSets, mean, scores, sumCounts, type Counts, type Scores } from "./counts.ts";
import { checkAligned } from "./report.ts";

export interface Entity {
  readonly type: string;
  /** Index of the first token. */
  readonly start: number;
  /** Index of the last token, inclusive. */
  readonly end: number;
}

interface Tag {
  readonly prefix: string;
  readonly type: string;
}

function readTag(tag: string): Tag {
  const rest = tag.slice(1);
  const dash = rest.indexOf("-");
  return { prefix: tag.slice(0, 1), type: rest.slice(dash + 1) || "_" };
}

function ends(previous: Tag, tag: Tag): boolean {
  if ("ES".includes(previous.prefix)) return true;
  if ("BI".includes(previous.prefix) && "BSO".includes(tag.prefix)) return true;
  return previous.prefix !== "O" && previous.prefix !== "." && previous.type !== tag.type;
}

function starts(previous: Tag, tag: Tag): boolean {
  if ("BS".includes(tag.prefix)) return true;
  if ("ESO".includes(previous.prefix) && "EI".includes(tag.prefix)) return true;
  return tag.prefix !== "O" && tag.prefix !== "." && previous.type !== tag.type;
}

/** Types of the entities that tags speak of. */
export function typesOf(tags: Iterable<string>): Set<string> {
  const types = new Set<string>();
  for (const tag of new Set(tags)) if (tag !== "O" && tag !== ".") types.add(readTag(tag).type);
  return types;
}

/** Entities of one sentence's tags, as seqeval's default mode finds them. */
export function entitiesOf(tags: readonly string[]): Entity[] {
  const entities: Entity[] = [];
  let previous: Tag = { prefix: "O", type: "" };
  let start = 0;
  for (const [i, text] of [...tags, "O"].entries()) {
    const tag = readTag(text);
    if (ends(previous, tag)) entities.push({ type: previous.type, start, end: i - 1 });
    if (starts(previous, tag)) start = i;
    previous = tag;
  }
  return entities;
}

/** Entities of one sentence's tags that are IOB2 without fault: B- and the I- of the same type behind it. */
export function strictEntitiesOf(tags: readonly string[]): Entity[] {
  return tags.flatMap((text, start) => {
    const { prefix, type } = readTag(text);
    if (prefix !== "B") return [];
    let end = start;
    for (let next = start + 1; next < tags.length; next++) {
      const tag = readTag(tags[next]!);
      if (tag.prefix !== "I" || tag.type !== type) break;
      end = next;
    }
    return [{ type, start, end }];
  });
}

export interface EntityScores {
  readonly micro: Scores;
  /** Unweighted mean over types seen in gold or prediction. */
  readonly macro: Scores;
  readonly perType: ReadonlyMap<string, Scores & Counts>;
  /** One item a sentence, for the bootstrap. */
  readonly sentences: readonly Counts[];
}

/** Scores of predicted tags, sentence by sentence; `find` says what an entity is. @throws DataError where sentences or their lengths do not agree. */
export function entityScores(
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
  find: (tags: readonly string[]) => Entity[] = entitiesOf,
): EntityScores {
  checkAligned(gold, predicted, "entity scores");
  const byType = new Map<string, Counts[]>();
  const sentences = gold.map((tags, i) => {
    const guess = predicted[i] ?? [];
    checkAligned(tags, guess, `entity scores, sentence ${i}`);
    const key = (one: Entity): string => `${one.start} ${one.end} ${one.type}`;
    const [truth, found] = [find(tags), find(guess)];
    for (const type of new Set([...truth, ...found].map((one) => one.type))) {
      const ofType = (all: Entity[]): string[] => all.filter((one) => one.type === type).map(key);
      byType.set(type, [...(byType.get(type) ?? []), countSets(ofType(found), ofType(truth))]);
    }
    return countSets(found.map(key), truth.map(key));
  });
  const perType = new Map(
    [...byType]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, counts]) => {
        const sum = sumCounts(counts);
        return [type, { ...scores(sum), ...sum }];
      }),
  );
  const average = (field: keyof Scores): number => mean([...perType.values()].map((one) => one[field]));
  const macro = { precision: average("precision"), recall: average("recall"), f1: average("f1") };
  return { micro: scores(sumCounts(sentences)), macro, perType, sentences };
}
