/**
 * How well identifiers are found in notes whose identifiers are known. What counts first is that nothing is left: an identifier is
 * found if every letter and digit of it is covered, by whatever class. Shares carry Wilson's interval, since a recall of 1 on
 * 40 names says little.
 */
import { type Proportion, proportion } from "../../metrics/proportion.ts";
import { type Found, type IdentifierClass, identifierClasses, isMention } from "./classes.ts";

export interface ScoredNote {
  readonly id: string;
  readonly text: string;
  /** What stands in it. */
  readonly gold: readonly Pick<Found, "class" | "start" | "end">[];
  readonly found: readonly Found[];
}

export interface ClassScore {
  /** Of the identifiers of this class, those that are covered. */
  readonly recall: Proportion;
  /** Of these, those found as this class. */
  readonly sameClass: Proportion;
  /** Of what was found as this class, what overlaps an identifier. */
  readonly precision: Proportion;
  /** Of letters and digits of identifiers of this class, those covered. */
  readonly characters: Proportion;
  /** Of words of identifiers of this class, those covered whole. */
  readonly words: Proportion;
}

export interface DeidentificationScore {
  readonly classes: Readonly<Partial<Record<IdentifierClass, ClassScore>>>;
  readonly all: ClassScore;
  /** Letters and digits covered that are no identifier's, of all that are no identifier's. */
  readonly lost: Proportion;
  /** Notes of which nothing is left. */
  readonly cleanNotes: Proportion;
  /** The first identifiers that are left, wholly or in part. */
  readonly leaks: readonly {
    readonly id: string;
    readonly class: IdentifierClass;
    readonly start: number;
    readonly end: number;
    readonly text: string;
  }[];
}

const columns = [
  "gold",
  "covered",
  "same",
  "found",
  "right",
  "characters",
  "charactersCovered",
  "words",
  "wordsCovered",
] as const;
type Counts = Record<(typeof columns)[number], number>;
const noCounts = (): Counts => Object.fromEntries(columns.map((column) => [column, 0])) as Counts;

const scoreOf = (c: Counts): ClassScore => ({
  recall: proportion(c.covered, c.gold),
  sameClass: proportion(c.same, c.gold),
  precision: proportion(c.right, c.found),
  characters: proportion(c.charactersCovered, c.characters),
  words: proportion(c.wordsCovered, c.words),
});

/** @param most of leaks that are listed. */
export function scoreDeidentification(notes: Iterable<ScoredNote>, most = 100): DeidentificationScore {
  const counts = new Map<IdentifierClass, Counts>();
  const of = (name: IdentifierClass): Counts => {
    if (!counts.has(name)) counts.set(name, noCounts());
    return counts.get(name)!;
  };
  const leaks: DeidentificationScore["leaks"][number][] = [];
  let [plain, lost, clean, total] = [0, 0, 0, 0];
  for (const { id, text, gold, found } of notes) {
    const replaced = found.filter((one) => !isMention(one));
    const [isFound, isGold] = [marked(text, replaced), marked(text, gold)];
    const before = leaks.length;
    let leaked = 0;
    for (const one of gold) {
      if (addGold(of(one.class), text, one, isFound)) {
        if (replaced.some((other) => other.class === one.class && other.start < one.end && other.end > one.start))
          of(one.class).same++;
        continue;
      }
      leaked++;
      if (before + leaked <= most)
        leaks.push({ id, class: one.class, start: one.start, end: one.end, text: text.slice(one.start, one.end) });
    }
    for (const one of replaced) {
      of(one.class).found++;
      if (isGold.subarray(one.start, one.end).includes(1)) of(one.class).right++;
    }
    for (let i = 0; i < text.length; i++) {
      if (isGold[i] === 1 || !counted(text, i)) continue;
      plain++;
      lost += isFound[i]!;
    }
    total++;
    if (leaked === 0) clean++;
  }
  const sum = noCounts();
  for (const one of counts.values()) for (const column of columns) sum[column] += one[column];
  const present = identifierClasses.filter((name) => counts.has(name));
  return {
    classes: Object.fromEntries(present.map((name) => [name, scoreOf(counts.get(name)!)])),
    all: scoreOf(sum),
    lost: proportion(lost, plain),
    cleanNotes: proportion(clean, total),
    leaks,
  };
}

const letter = /[\p{L}\p{N}]/u;
const counted = (text: string, at: number): boolean => letter.test(text[at]!);

function marked(text: string, ranges: readonly Pick<Found, "start" | "end">[]): Uint8Array {
  const marks = new Uint8Array(text.length);
  for (const { start, end } of ranges) marks.fill(1, start, end);
  return marks;
}

/** Whether it is covered. */
function addGold(c: Counts, text: string, { start, end }: Pick<Found, "start" | "end">, isFound: Uint8Array): boolean {
  let [all, covered] = [0, 0];
  for (const { index, 0: word } of text.slice(start, end).matchAll(/\S+/g)) {
    let [inWord, ofWord] = [0, 0];
    for (let i = start + index; i < start + index + word.length; i++) {
      if (!counted(text, i)) continue;
      inWord++;
      ofWord += isFound[i]!;
    }
    if (inWord === 0) continue;
    c.words++;
    if (ofWord === inWord) c.wordsCovered++;
    all += inWord;
    covered += ofWord;
  }
  c.gold++;
  c.characters += all;
  c.charactersCovered += covered;
  if (covered === all) c.covered++;
  return covered === all;
}
