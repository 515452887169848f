/** Changes of the exact store as JSON lines, vectors in base64 (float32, little-endian); browsers read them too. */
import type { Change } from "./exact.ts";
import type { StoredDocument } from "./store.ts";
import type { IndexedDocument } from "./types.ts";

type PassageLine = readonly [start: number, end: number, vector?: string];
type Line =
  | { readonly document: IndexedDocument; readonly passages: readonly PassageLine[] }
  | { readonly delete: string };

function textOfVector(vector: Float32Array): string {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

function vectorOfText(text: string): Float32Array {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

export function lineOfChange(change: Exclude<Change, { kind: "clear" }>): string {
  if (change.kind === "delete") return JSON.stringify({ delete: change.id } satisfies Line);
  const { document, passages } = change.stored;
  const line: Line = {
    document,
    passages: passages.map(({ start, end, vector }): PassageLine =>
      vector === undefined ? [start, end] : [start, end, textOfVector(vector)],
    ),
  };
  return JSON.stringify(line);
}

export function changeOfLine(text: string): Change {
  const line = JSON.parse(text) as Line;
  if ("delete" in line) return { kind: "delete", id: line.delete };
  const passages = line.passages.map(([start, end, vector]) =>
    vector === undefined ? { start, end } : { start, end, vector: vectorOfText(vector) },
  );
  const stored: StoredDocument = { document: line.document, passages };
  return { kind: "put", stored };
}
