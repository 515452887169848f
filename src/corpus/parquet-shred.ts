/**
 * Records to the leaves of a Parquet column: values with their repetition and definition levels (Melnik and others 2010,
 * "Dremel", section 4.1), for shapes in which everything may be null and lists have three levels. All leaves of a column are
 * filled in one walk over its values. Left out: maps, required fields.
 */
import type { Shape } from "./parquet-codec.ts";

/** What hyparquet-writer takes of a leaf. */
export interface LeafData {
  readonly path: readonly string[];
  readonly values: unknown[];
  readonly definitionLevels: number[];
  /** Empty outside of lists. */
  readonly repetitionLevels: number[];
  readonly maxDefinitionLevel: number;
}

interface Shredder {
  /** Adds a value, whose parents are there up to `definition`, and which repeats at `repetition`. */
  add(value: unknown, definition: number, repetition: number): void;
}

function leafShredder(
  path: readonly string[],
  maxDefinitionLevel: number,
  isRepeated: boolean,
  leaves: LeafData[],
): Shredder {
  const leaf: LeafData = { path, values: [], definitionLevels: [], repetitionLevels: [], maxDefinitionLevel };
  leaves.push(leaf);
  const { values, definitionLevels, repetitionLevels } = leaf;
  return {
    add(value, definition, repetition) {
      values.push(value);
      definitionLevels.push(value === null || value === undefined ? definition : definition + 1);
      if (isRepeated) repetitionLevels.push(repetition);
    },
  };
}

function shredderOf(
  shape: Shape,
  path: readonly string[],
  definition: number,
  repeated: number,
  leaves: LeafData[],
): Shredder {
  if (typeof shape === "string") return leafShredder(path, definition + 1, repeated > 0, leaves);
  if (Array.isArray(shape)) {
    const [item] = shape as readonly [Shape];
    const element = shredderOf(item, [...path, "list", "element"], definition + 2, repeated + 1, leaves);
    return {
      add(value, definition, repetition) {
        const list = value as readonly unknown[] | null | undefined;
        if (list === null || list === undefined) element.add(undefined, definition, repetition);
        else if (list.length === 0) element.add(undefined, definition + 1, repetition);
        else {
          element.add(list[0], definition + 2, repetition);
          for (let i = 1; i < list.length; i++) element.add(list[i], definition + 2, repeated + 1);
        }
      },
    };
  }
  const fields = Object.entries(shape).map(([name, field]) => ({
    name,
    field: shredderOf(field, [...path, name], definition + 1, repeated, leaves),
  }));
  return {
    add(value, definition, repetition) {
      const struct = value as Readonly<Record<string, unknown>> | null | undefined;
      if (struct === null || struct === undefined) {
        for (const { field } of fields) field.add(undefined, definition, repetition);
      } else for (const { name, field } of fields) field.add(struct[name], definition + 1, repetition);
    },
  };
}

export interface ColumnShredder {
  readonly leaves: readonly LeafData[];
  /** Adds a row's value. */
  add(value: unknown): void;
}

/** A column of no rows yet; its leaves are in the order of the schema. */
export function createColumnShredder(name: string, shape: Shape): ColumnShredder {
  const leaves: LeafData[] = [];
  const shredder = shredderOf(shape, [name], 0, 0, leaves);
  return { leaves, add: (value) => shredder.add(value, 0, 0) };
}
