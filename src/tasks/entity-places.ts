/** Named entities by name and by place, and the way from the one to the other. */
import { entitiesOf } from "../metrics/entities.ts";
import { findName, type Range, searchable } from "./places.ts";

export interface NamedEntity {
  readonly name: string;
  readonly type: string;
}

/** UTF-16 code units of the example's text, the end exclusive. */
export interface EntityPlace {
  readonly start: number;
  readonly end: number;
  readonly type: string;
}

/** A name with where it stands; null: not in the text. */
export interface LocatedEntity extends NamedEntity {
  readonly at: { readonly start: number; readonly end: number; readonly text: string } | null;
}

/**
 * Places of names that are listed in the text's order: each has the next place after the one before, where there is
 * one, else the first that no name of its type has yet; written as it is named, where it is so anywhere. A name that is
 * listed more often than the text has it is left out. Entities that say where they stand stay as they are.
 */
export function locateEntities(text: string, entities: readonly NamedEntity[]): LocatedEntity[] {
  if (isLocated(entities)) return [...entities];
  const searched = searchable(text);
  const located: LocatedEntity[] = [];
  let after = 0;
  for (const { name, type } of entities) {
    const all = findName(name, searched);
    const bare = name.replace(/\s+/g, "");
    const exact = all.filter(([start, end]) => text.slice(start, end).replace(/\s+/g, "") === bare);
    const taken = ([start, end]: Range): boolean =>
      located.some((one) => one.at?.start === start && one.at.end === end && one.type === type);
    const free = (exact.length > 0 ? exact : all).filter((range) => !taken(range));
    const place = free.find(([start]) => start >= after) ?? free[0];
    if (place !== undefined) {
      const [start, end] = place;
      located.push({ name, type, at: { start, end, text: text.slice(start, end) } });
      after = end;
    } else if (all.length === 0) located.push({ name, type, at: null });
  }
  return located;
}

const isLocated = (entities: readonly NamedEntity[]): entities is LocatedEntity[] =>
  entities.every((one) => "at" in one);

/** The entities that the tags of a text's words mean. */
export function taggedEntities(text: string, words: readonly Range[], tags: readonly string[]): LocatedEntity[] {
  return entitiesOf(tags).map(({ type, start: first, end: last }) => {
    const [start, end] = [words[first]![0], words[last]![1]];
    const name = text.slice(start, end);
    return { name, type, at: { start, end, text: name } };
  });
}

/** The tags (IOB2) of a text's words by the entities that stand there; of two that overlap the first counts. */
export function tagsOf(words: readonly Range[], entities: readonly EntityPlace[]): string[] {
  const tags = words.map(() => "O");
  for (const { start, end, type } of [...entities].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const inside = words.flatMap(([from, to], i) => (from < end && to > start ? [i] : []));
    if (inside.some((i) => tags[i] !== "O")) continue;
    inside.forEach((i, place) => (tags[i] = `${place === 0 ? "B" : "I"}-${type}`));
  }
  return tags;
}
