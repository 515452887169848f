/** JSON from a file that may be hostile: valid UTF-8, bounded nesting, no key twice in one object, no `__proto__`. */
import { CheckpointError } from "../errors.ts";

const hint = "the file is damaged or hostile; download it again";

const maxContainers = 2_000_000; // objects and lists; a safetensors header has three for each tensor
const maxValues = 8_000_000;

/** @throws CheckpointError that starts with `where`. */
export function parseStrictJson(bytes: Uint8Array, where: string, maxDepth: number): unknown {
  let [containers, values] = [0, 0];
  for (const byte of bytes) {
    if (byte === 0x5b || byte === 0x7b) containers++;
    else if (byte === 0x2c) values++;
  }
  if (containers > maxContainers)
    throw new CheckpointError(`${where}: expected at most ${maxContainers} objects and lists, got ${containers}`, {
      hint,
    });
  if (values > maxValues)
    throw new CheckpointError(`${where}: expected at most ${maxValues} values, got ${values}`, { hint });
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CheckpointError(`${where}: expected JSON in UTF-8, got something else (${reason})`, {
      cause: error,
      hint,
    });
  }
  checkKeys(text, where, maxDepth);
  return value;
}

/** Walks the tokens of valid JSON, because `JSON.parse` keeps only the last of equal keys. */
function checkKeys(text: string, where: string, maxDepth: number): void {
  const open: (Set<string> | undefined)[] = []; // keys of each open object; undefined for a list
  let keyExpected = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "{" || char === "[") {
      open.push(char === "{" ? new Set() : undefined);
      if (open.length > maxDepth)
        throw new CheckpointError(`${where}: expected at most ${maxDepth} levels of nesting`, { hint });
      keyExpected = char === "{";
    } else if (char === "}" || char === "]") {
      open.pop();
      keyExpected = false;
    } else if (char === ",") keyExpected = open.at(-1) !== undefined;
    else if (char === '"') {
      const start = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++;
      if (!keyExpected) continue;
      keyExpected = false;
      const key = JSON.parse(text.slice(start, at + 1)) as string;
      const keys = open.at(-1) as Set<string>;
      if (key === "__proto__" || keys.has(key)) {
        const shown = JSON.stringify(key.slice(0, 80));
        throw new CheckpointError(`${where}: expected distinct names, got ${shown} twice or reserved`, { hint });
      }
      keys.add(key);
    }
  }
}
