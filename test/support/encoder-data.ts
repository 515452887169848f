/** Data of a tiny world for training encoders: a query is a word, its document says the word among others. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { random } from "../../src/tensor/random.ts";

const words = ["kidney", "heart", "stroke", "insulin", "gene", "renal"];

/** Paths of JSON lines, by what they hold. */
export interface EncoderData {
  readonly lists: string;
  readonly texts: string;
  readonly classes: string;
  readonly multiLabel: string;
  readonly tags: string;
}

/** Writes `count` examples of each kind; another seed gives others of the same world. */
export function writeEncoderData(folder: string, name: string, count: number, seed: number): EncoderData {
  const draw = random(seed);
  const filler = (): string => ["the", "of", "and"][draw.integer(3)]!;
  const lists = Array.from({ length: count }, (_, i) => {
    const word = words[i % 6]!;
    const wrong = words.filter((other) => other !== word);
    // Of different lengths, so that batches are padded.
    const rest = (): string => Array.from({ length: 1 + draw.integer(4) }, filler).join(" ");
    const documents = [word, ...wrong.slice(0, 2)].map((one) => `${filler()} ${one} ${rest()}`);
    return { query: word, documents, scores: [4, 0, -4], transform: "none" };
  });
  const write = (kind: string, rows: readonly object[]): string => {
    const path = join(folder, `${name}-${kind}.jsonl`);
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    return path;
  };
  return {
    lists: write("lists", lists),
    texts: write(
      "texts",
      lists.flatMap(({ documents }) => documents.map((text) => ({ text }))),
    ),
    classes: write(
      "classes",
      lists.map(({ query, documents }) => ({ text: documents[0], label: query })),
    ),
    multiLabel: write(
      "multi-label",
      lists.map(({ query, documents }) => ({
        text: documents[0],
        labels: words.filter((word) => word === query || word[0]! < query[0]!),
      })),
    ),
    tags: write(
      "tags",
      lists.map(({ documents }) => {
        const tokens = documents[0]!.split(" ");
        return { tokens, tags: tokens.map((token) => (words.includes(token) ? "B-X" : "O")) };
      }),
    ),
  };
}
