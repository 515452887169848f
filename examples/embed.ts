/** Vectors of texts, and which of them are most alike. Arguments: an embedding model's directory, a file of texts. */
import { readTexts } from "galen";
import { embedTexts, loadEmbedder } from "galen/retrieval";

const [folder, file] = process.argv.slice(2);
if (folder === undefined || file === undefined) throw new Error("expected a model's directory and a file of texts");

await using embedder = await loadEmbedder(folder);
const found: { text: string; vector: Float32Array }[] = [];
for await (const { text, vector } of embedTexts(embedder, readTexts(file))) found.push({ text, vector });
console.log(`${found.length} vectors of ${embedder.width}`);

// Cosines, so that vectors of any length can be compared.
const length = (v: Float32Array): number => Math.hypot(...v);
const cosine = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0) / (length(a) * length(b));
const pairs = found.flatMap((a, i) =>
  found.slice(i + 1).map((b) => ({ a: a.text, b: b.text, score: cosine(a.vector, b.vector) })),
);
for (const { a, b, score } of pairs.sort((one, other) => other.score - one.score).slice(0, 3)) {
  console.log(`${score.toFixed(3)}  ${a.slice(0, 50)} | ${b.slice(0, 50)}`);
}
