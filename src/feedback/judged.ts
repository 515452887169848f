/** A file of judgements together with the items that lie beside it. */
import { existsSync } from "node:fs";
import { DataError } from "../errors.ts";
import { required } from "../schema.ts";
import { type Item, itemsPath, openItems } from "./items.ts";
import { type Judgement, type JudgementLog, openJudgements } from "./judgements.ts";

/** An item with what holds of it. */
export interface JudgedItem {
  readonly item: Item;
  /** The last of each person. */
  readonly judgements: readonly Judgement[];
}

/** @throws DataError where a file is missing, or a line of it cannot be read or is of another item. */
export async function readJudged(file: string): Promise<{ judged: JudgedItem[]; judgements: JudgementLog }> {
  required("feedback: file", file, "text");
  for (const path of [file, itemsPath(file)]) {
    if (!existsSync(path)) {
      throw new DataError(`${path}: expected a file of galen feedback, got none`, {
        hint: "galen feedback --prompts FILE --output FILE writes judgements, and what was judged beside them",
      });
    }
  }
  const items = (await openItems(file)).all();
  const judgements = openJudgements(file);
  await judgements.refresh();
  const judged = items.map((item) => ({ item, judgements: judgements.of(item.id) }));
  for (const { item, judgements: all } of judged) {
    const wrong = all.find(({ ranks }) => ranks.length !== item.answers.length);
    if (wrong === undefined) continue;
    throw new DataError(
      `${file}: ${wrong.rater} on ${item.id}: expected ranks of ${item.answers.length} answers, got ${wrong.ranks.length}`,
    );
  }
  return { judged, judgements };
}

/** All pairs of `count` places, the lower first. */
export function* pairsOf(count: number): Generator<[number, number]> {
  for (let b = 1; b < count; b++) for (let a = 0; a < b; a++) yield [a, b];
}
