/**
 * Records to the leaves of a Parquet column: values with their repetition and definition levels (Melnik and others 2010,
 * "Dremel", section 4.1), for shapes in which everything may be null and lists have three levels. All leaves of a column are
 * filled in one walk over its values. Left out: maps, required fields.
 */
import type { Shape } from "./parquet-codec.ts";

/** What hyparquet-writer takes of a leaf. */
export interface LeafData {
  readonly path: readonly string[];
  readonly values: readonly unknown[];
  readonly definitionLevels: Uint8Array;
  /** Empty outside of lists. */
  readonly repetitionLevels: Uint8Array;
  readonly maxDefinitionLevel: number;
}

/** Small numbers, one byte each: as many as there are values, and nothing that a garbage collector looks through. */
interface Levels {
  push(level: number): void;
  all(): Uint8Array;
}

function createLevels(): Levels {
  let bytes = new Uint8Array(1024);
  let count = 0;
  return {
    push(level) {
      if (count === bytes.length) {
        const larger = new Uint8Array(2 * count);
        larger.set(bytes);
        bytes = larger;
      }
      bytes[count++] = level;
    },
    all: () => bytes.subarray(0, count),
  };
}

interface Shredder {
  /** Adds a value, whose parents are there up to `definition`, and which repeats at `repetition`. */
  add(value: unknown, definition: number, repetition: number): void;
}

function leafShredder(
  path: readonly string[],
  maxDefinitionLevel: number,
  isRepeated: boolean,
  leaves: (() => LeafData)[],
): Shredder {
  const values: unknown[] = [];
  const [definitions, repetitions] = [createLevels(), createLevels()];
  leaves.push(() => ({
    path,
    values,
    definitionLevels: definitions.all(),
    repetitionLevels: repetitions.all(),
    maxDefinitionLevel,
  }));
  return {
    add(value, definition, repetition) {
      values.push(value);
      definitions.push(value === null || value === undefined ? definition : definition + 1);
      if (isRepeated) repetitions.push(repetition);
    },
  };
}

function shredderOf(
  shape: Shape,
  path: readonly string[],
  definition: number,
  repeated: number,
  leaves: (() => LeafData)[],
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
  /** What was added, by leaf, in the order of the schema. */
  leaves(): LeafData[];
  /** Adds a row's value. */
  add(value: unknown): void;
}

/** A column of no rows yet. */
export function createColumnShredder(name: string, shape: Shape): ColumnShredder {
  const leaves: (() => LeafData)[] = [];
  const shredder = shredderOf(shape, [name], 0, 0, leaves);
  return { leaves: () => leaves.map((leaf) => leaf()), add: (value) => shredder.add(value, 0, 0) };
}
