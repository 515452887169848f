/** Parquet row groups back to objects, of files whose columns are known: the shards of an import. */
import type { AsyncBuffer, FileMetaData, SchemaElement } from "hyparquet";
import { DataError } from "../errors.ts";
import type { Leaf } from "../io/parquet-check.ts";
import { decodeGroup, type Footer, orDamaged, topLevel } from "../io/parquet-file.ts";
import { type Columns, schemaElements, type Shape } from "./parquet-codec.ts";

function leavesOf(shape: Shape, path: readonly string[], maxDefinition = 0, maxRepetition = 0): Leaf[] {
  if (typeof shape === "string") return [{ path, maxDefinition: maxDefinition + 1, maxRepetition }];
  if (Array.isArray(shape)) {
    const [element] = shape as readonly [Shape];
    return leavesOf(element, [...path, "list", "element"], maxDefinition + 2, maxRepetition + 1);
  }
  return Object.entries(shape).flatMap(([name, field]) =>
    leavesOf(field, [...path, name], maxDefinition + 1, maxRepetition),
  );
}

/** @throws DataError where a column is missing or has another shape than it should. */
function checkSchema({ schema }: FileMetaData, columns: Columns, names: readonly string[]): void {
  const places = topLevel(schema);
  const missing = names.filter((name) => !places.has(name));
  if (missing.length > 0) throw new DataError(`expected column ${missing.join(", ")}, got none`);
  const described = (elements: readonly SchemaElement[]): string =>
    JSON.stringify(elements.map((one) => [one.name, one.type, one.repetition_type, one.num_children ?? 0]));
  for (const name of names) {
    const expected = schemaElements(name, columns[name]!);
    const start = places.get(name)!;
    if (described(schema.slice(start, start + expected.length)) !== described(expected)) {
      throw new DataError(`column ${name}: expected the shape that an import gives it, got another`);
    }
  }
}

/**
 * The rows of one row group as objects with the columns `names`, which are shaped as `columns` says.
 * @throws DataError where the group is damaged or has other columns.
 */
export async function readGroup(
  file: AsyncBuffer,
  { metadata }: Footer,
  index: number,
  columns: Columns,
  names: readonly string[] = Object.keys(columns),
): Promise<Record<string, unknown>[]> {
  return orDamaged(async () => {
    checkSchema(metadata, columns, names);
    const group = metadata.row_groups[index]!;
    const leaves = names.flatMap((name) => leavesOf(columns[name]!, [name]));
    return decodeGroup(file, metadata, group, names, leaves);
  });
}
