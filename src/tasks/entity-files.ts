/** Examples with named entities: SPLIT.jsonl with places in the text, or IOB2 in train.tsv, dev.tsv and test.tsv. */
import { existsSync } from "node:fs";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJsonLines } from "../io/json.ts";
import { entitiesOf } from "../metrics/entities.ts";
import type { Example, Split } from "./benchmark.ts";
import type { EntityPlace } from "./entity-places.ts";
import { joinTokens } from "./entity-text.ts";
import { readNer } from "./ner.ts";
import type { Range } from "./places.ts";

export interface EntityExample extends Example<readonly EntityPlace[]> {
  /** Where the words of the text stand, where the file has them. */
  readonly words?: readonly Range[];
}

const line = z.object({
  id: z.string(),
  text: z.string(),
  entities: z.array(z.object({ start: z.int().min(0), end: z.int().min(1), type: z.string() })),
});

/** Spells types as `types` does. @throws DataError for other types, and places outside the text. */
export async function readEntities(folder: string, split: Split, types: readonly string[]): Promise<EntityExample[]> {
  const canonical = new Map(types.map((type) => [type.toLowerCase(), type]));
  const typeOf = (type: string, where: string): string => {
    const known = type === "_" && types.length === 1 ? types[0] : canonical.get(type.toLowerCase());
    if (known !== undefined) return known;
    throw new DataError(`${where}: expected an entity of type ${types.join(", ")}; got "${type}"`, {
      hint: "add the type to the task's JSON file; a bare B or I is for tasks of one type",
    });
  };
  const path = `${folder}/${split}.jsonl`;
  if (!existsSync(path)) {
    return (await readNer(folder, split)).map(({ id, document, tokens, tags }) => {
      const { text, places: words } = joinTokens(tokens);
      const gold = entitiesOf(tags).map(({ type, start, end }) => ({
        start: words[start]![0],
        end: words[end]![1],
        type: typeOf(type, `${folder}: sentence ${id} of ${split}`),
      }));
      return { id, ...(document === undefined ? {} : { document }), text, gold, words };
    });
  }
  return (await readJsonLines(path, line)).map(({ id, text, entities }) => {
    const gold = entities.map(({ start, end, type }) => {
      if (start >= end || end > text.length) {
        throw new DataError(`${path}: "${id}": expected 0 ≤ start < end ≤ ${text.length}, got ${start} and ${end}`);
      }
      return { start, end, type: typeOf(type, `${path}: "${id}"`) };
    });
    return { id, text, gold };
  });
}
