/** Where ONNX Runtime maps the weights of a model from: places in files, relative to the folder that holds them all. */
import { realpathSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import type { TensorEntry } from "../checkpoints/entries.ts";
import type { FilePlace } from "../graph/onnx.ts";
import type { Entries, Places } from "./parameters.ts";

/** Without the links that lead to it: files of the hub's cache are links. */
const realFile = (file: string): string => realpathSync.native(file);

/** The innermost folder that holds all files of the weights: ONNX Runtime follows no link out of what it is given. */
function weightsFolder(entries: Entries): string {
  const files = new Set([...entries.values()].map(({ file }) => file));
  const [first = [], ...others] = [...files].map((file) => dirname(realFile(file)).split(sep));
  const end = first.findIndex((part, i) => others.some((parts) => parts[i] !== part));
  return first.slice(0, end < 0 ? undefined : end).join(sep) || sep;
}

/** The folder that weights are mapped from, and where in it each tensor lies. */
export function placesOf(entries: Entries): Places {
  const where = weightsFolder(entries);
  const placeOf = ({ file, offset, byteLength }: TensorEntry): FilePlace => {
    return { location: relative(where, realFile(file)), offset, length: byteLength };
  };
  return { where, placeOf };
}
