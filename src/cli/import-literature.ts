/** `galen corpus import` of anything but PubMed's records alone: documents of one model. */
import { UsageError } from "../errors.ts";
import type { Context } from "./command.ts";

interface Arguments {
  readonly input: string[];
  readonly output: string;
  readonly kind: string | undefined;
  readonly column: string[];
  readonly licence: string | undefined;
  readonly workers: number | undefined;
  readonly overwrite: boolean;
}

function columnsOf(given: readonly string[]): Record<string, string> | undefined {
  if (given.length === 0) return undefined;
  const pairs = given.map((one): [string, string] => {
    const at = one.indexOf("=");
    if (at < 1 || at === one.length - 1) throw new UsageError(`--column: expected FIELD=NAME, got "${one}"`);
    return [one.slice(0, at), one.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

export async function importLiterature({ args, json, output, progress, signal }: Context<Arguments>): Promise<void> {
  const { importDocuments } = await import("../curate/index.ts");
  const { describeLeftOut } = await import("./corpus-text.ts");
  const line = progress("importing");
  const made = await importDocuments({
    inputs: args.input,
    output: args.output,
    kind: args.kind,
    columns: columnsOf(args.column),
    licence: args.licence,
    workers: args.workers,
    overwrite: args.overwrite,
    signal,
    onProgress({ step, bytes, bytesDone }) {
      line.update({ done: bytesDone, total: bytes, unit: "bytes", text: step });
    },
  }).finally(() => line.end());
  if (json) return output.json({ output: args.output, ...made });
  const { sources, documents, words } = made;
  for (const source of sources) {
    const { name, kinds, read } = source;
    const notes = [kinds.join(", ") || "none", describeLeftOut(source)].filter((note) => note !== undefined);
    await output.write(`${name}  ${read.documents.toLocaleString("en-US")} documents (${notes.join(", ")})\n`);
  }
  const count = `${documents.toLocaleString("en-US")} documents, ${words.toLocaleString("en-US")} words`;
  const failures = sources.reduce((sum, one) => sum + one.failures, 0);
  await output.write(`${args.output}  ${count}\n`);
  if (failures === 0) return;
  const [first] = sources.flatMap(({ firstFailures }) => firstFailures);
  output.note(`${failures} could not be read: see ${args.output}/failures.jsonl; the first: ${first}`);
}
