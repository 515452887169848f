/** An extraction in a process of its own, for tests that kill it: arguments are the model, the documents and the output. */
import { readDocuments } from "../../src/corpus/documents.ts";
import { extractDocuments } from "../../src/extract/index.ts";
import { openTuned } from "../../src/soft-prompts/index.ts";

const [model, documents, output] = process.argv.slice(2) as [string, string, string];
await using tuned = await openTuned(model, { threads: 1 });
await extractDocuments(tuned, readDocuments([documents]), {
  output,
  resume: true,
  inputs: [documents],
  window: 16,
  group: 4,
  onProgress: ({ documents: done }) => console.log(done),
});
