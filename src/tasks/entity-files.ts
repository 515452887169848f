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
import { offsetReader, type OffsetUnit, offsetUnitOf, sameText } from "./offset-units.ts";
import type { Range } from "./places.ts";

export interface EntityExample extends Example<readonly EntityPlace[]> {
  /** Where the words of the text stand, where the file has them. */
  readonly words?: readonly Range[];
}

const line = z.object({
  id: z.string(),
  text: z.string(),
  entities: z.array(
    z.object({ start: z.int().min(0), end: z.int().min(1), type: z.string(), text: z.string().optional() }),
  ),
});

/**
 * Spells types as `types` does. `offsets`: what places count, where the file does not tell.
 * @throws DataError for other types, places outside the text or where its entity's own text does not stand, and places
 * of which it cannot be told what they count.
 */
export async function readEntities(
  folder: string,
  split: Split,
  types: readonly string[],
  offsets?: OffsetUnit,
): Promise<EntityExample[]> {
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
  const lines = await readJsonLines(path, line);
  const unit =
    offsets ??
    offsetUnitOf(
      path,
      lines.map(({ entities, ...one }) => ({ ...one, spans: entities })),
    );
  return lines.map(({ id, text, entities }) => {
    const read = offsetReader(text, unit);
    const gold = entities.map((entity) => {
      const [start, end] = [read(entity.start), read(entity.end)];
      if (start === undefined || end === undefined || start >= end) {
        const length = unit === "utf-16" ? text.length : [...text].length;
        const got = `${entity.start} and ${entity.end}`;
        throw new DataError(`${path}: "${id}": expected 0 ≤ start < end ≤ ${length}, got ${got}`);
      }
      if (entity.text !== undefined && !sameText(entity.text, text.slice(start, end))) {
        const found = JSON.stringify(text.slice(start, end).slice(0, 60));
        const got = `${found} at ${entity.start} to ${entity.end}`;
        throw new DataError(`${path}: "${id}": expected ${JSON.stringify(entity.text.slice(0, 60))}, got ${got}`, {
          hint: "an entity's start and end say where its text stands in the text of the line",
        });
      }
      return { start, end, type: typeOf(entity.type, `${path}: "${id}"`) };
    });
    return { id, text, gold };
  });
}
