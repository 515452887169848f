/** Relations mined from documents with a tuned model. Arguments: its directory, documents (XML, JSON lines, folders). */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract, openTuned } from "galen";

const [folder, ...documents] = process.argv.slice(2);
if (folder === undefined || documents.length === 0) throw new Error("expected a tuned model's directory and documents");

await using tuned = await openTuned(folder);
const output = await mkdtemp(join(tmpdir(), "galen-mined-"));
const { documents: read, triples, relations } = await extract(tuned, documents, { output, limit: 20 });
console.log(`${triples} triples of ${read} documents, ${relations} distinct relations`);
console.log(`${output}/relations.csv has them counted; ${output}/review.html shows them for review`);
