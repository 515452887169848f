/** Model directories for tests of generation, made of the golden BioGPT model. */
import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const goldenFolder: string = fileURLToPath(new URL("../goldens/biogpt", import.meta.url));

/** A new directory: the golden model with its end token's embedding scaled, so that sequences end. */
export async function endingFolder(): Promise<string> {
  const target = await mkdtemp(join(tmpdir(), "galen-ending-"));
  await cp(`${goldenFolder}/model`, target, { recursive: true });
  const path = join(target, "model.safetensors");
  const bytes = await readFile(path);
  const header = Number(bytes.readBigUInt64LE(0));
  const entries = JSON.parse(bytes.toString("utf8", 8, 8 + header)) as Record<
    string,
    { shape: number[]; data_offsets: number[] }
  >;
  const { shape, data_offsets: offsets } = entries["biogpt.embed_tokens.weight"]!;
  const width = shape[1]!;
  for (let i = 0; i < width; i++) {
    const at = 8 + header + offsets[0]! + 4 * (2 * width + i);
    bytes.writeFloatLE(bytes.readFloatLE(at) * Math.fround(2.2), at);
  }
  await writeFile(path, bytes);
  return target;
}

/** Puts a tokenizer of 61 pieces into a model directory: single letters and marks, inside words and at their ends. */
export async function addTokenizer(folder: string): Promise<void> {
  const letters = [..."abcdefghijklmnopqrstuvwx"];
  const pieces = ["<s>", "<pad>", "</s>", "<unk>", ...letters, ...letters.map((letter) => `${letter}</w>`)];
  for (const mark of '"().,;%-') pieces.push(`${mark}</w>`);
  pieces.push("ab</w>");
  await writeFile(
    join(folder, "vocab.json"),
    JSON.stringify(Object.fromEntries(pieces.map((piece, id) => [piece, id]))),
  );
  await writeFile(join(folder, "merges.txt"), "a b</w>\n");
}
