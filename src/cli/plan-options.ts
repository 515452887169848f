/** What plans of curation, indexing and mining have in common: options, and rates that are measured or read from a file. */
import { UsageError } from "../errors.ts";
import type { CorpusRates, DocumentRates, MeasureOptions } from "../plan/work/index.ts";
import { overwriteOption } from "./command.ts";
import type { Output } from "./output.ts";
import type { Progress } from "./progress.ts";

export const workPlanOptions = {
  amount: {
    type: "text",
    hint: "AMOUNT",
    about: "How much there is: 1.2TB (of files as they lie), 38e6documents, 4e12tokens (default: what is named)",
  },
  price: { type: "number", hint: "N", about: "Price for an hour" },
  sample: {
    type: "number",
    hint: "MB",
    about: "How much is measured, in megabytes of text (default: 16 of a pipeline, 4 of documents)",
  },
  repeats: {
    type: "integer",
    hint: "N",
    least: 1,
    default: 3,
    about: "Samples that are measured, of other files each",
  },
  scratch: {
    type: "text",
    hint: "DIR",
    about:
      "Where temporary files go, copies of what is sampled among them: for notes of patients, where these may lie (default: the system's)",
  },
  rates: { type: "text", hint: "FILE", about: "Rates that were measured before; nothing is measured" },
  "save-rates": { type: "text", hint: "FILE", about: "Write what was measured there, for --rates" },
  ...overwriteOption,
} as const;

interface Given {
  readonly sample: number | undefined;
  readonly repeats: number;
  readonly scratch: string | undefined;
  readonly rates: string | undefined;
  readonly "save-rates": string | undefined;
}

interface Around {
  readonly output: Output;
  readonly signal: AbortSignal;
  progress(label: string): Progress;
}

/** Rates of a file, or measured and, where it was asked for, kept. */
export async function ratesOf<Rates extends CorpusRates | DocumentRates>(
  given: Given,
  { output, signal, progress }: Around,
  read: (path: string) => Promise<Rates>,
  measure: (options: MeasureOptions) => Promise<Rates>,
): Promise<Rates> {
  const { sample, repeats, scratch, rates: file, "save-rates": kept } = given;
  if (file !== undefined) {
    if (kept === undefined) return read(file);
    throw new UsageError("--save-rates: expected it without --rates, got both", {
      hint: "what is read is kept already",
    });
  }
  const bar = progress("measuring");
  const rates = await measure({
    sampleBytes: sample === undefined ? undefined : 1e6 * sample,
    repeats,
    scratch,
    signal,
    onProgress: (text) => bar.update({ done: 0, unit: "samples", text }),
  }).finally(() => bar.end());
  if (kept !== undefined) {
    const { writeRates } = await import("../plan/work/index.ts");
    await writeRates(kept, rates);
    output.note(kept);
  }
  return rates;
}
