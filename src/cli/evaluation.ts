/** What the commands under `evaluate` share: a folder of the run, progress by window, and the report there. */
import { join } from "node:path";
import { writeFileAtomically } from "../io/files.ts";
import { UsageError } from "../errors.ts";
import { describeReport } from "../eval/print.ts";
import { hubSourceOf } from "../hub/index.ts";
import { modelFingerprint } from "../io/fingerprint.ts";
import type { WindowOptions } from "../eval/windows.ts";
import type { Report } from "../metrics/report.ts";
import type { Context } from "./command.ts";
import type { Cuts } from "./cuts.ts";
import type { Progress } from "./progress.ts";

interface Values {
  readonly model: string;
  readonly output: string | undefined;
  readonly resume: boolean;
}

type Terminal = Pick<Context<unknown>, "json" | "output" | "progress" | "signal">;

/** Runs `evaluate` with the options of windows; Ctrl-C leaves a note on how to go on. */
export async function runWindows<T>(
  { model, output, resume }: Values,
  { progress, signal, output: terminal }: Terminal,
  evaluate: (options: WindowOptions) => Promise<T>,
): Promise<T> {
  if (resume && output === undefined) throw new UsageError("--resume: expected --output DIR with it, got none");
  const identity =
    output === undefined ? undefined : { model: model === "bm25" ? model : await modelFingerprint(model) };
  const bars = new Map<string, Progress>();
  const end = (): void => bars.forEach((bar) => bar.end());
  try {
    return await evaluate({
      output,
      resume,
      identity,
      signal,
      onProgress: ({ stage, done, total, rate, text }) => {
        if (!bars.has(stage)) bars.set(stage, progress("evaluating"));
        bars.get(stage)!.update({ done, total, unit: stage, rate, text });
      },
    });
  } catch (error) {
    end();
    if (signal.aborted && output !== undefined) terminal.note("the same command with --resume goes on there");
    throw error;
  } finally {
    end();
  }
}

/** The report as JSON, with `about` the model before it, or as text; both in the run's folder. */
export async function writeReport(
  { output: folder }: Pick<Values, "output">,
  { json, output }: Pick<Terminal, "json" | "output">,
  { model, ...about }: { readonly model: string } & Readonly<Record<string, unknown>>,
  report: Report,
  cuts?: Cuts,
): Promise<void> {
  cuts?.say(output);
  const result = { model: hubSourceOf(model) ?? model, ...about, ...report };
  const text = describeReport(report);
  if (folder !== undefined) await keepReport(folder, result);
  // Of this call alone, and so no part of the report: the windows of before are not read again.
  if (json) await output.json({ ...result, ...cuts?.json() });
  else await output.write(text);
}

/** A report in the folder of its run, for programs and for people. */
export async function keepReport(folder: string, result: Report): Promise<void> {
  await writeFileAtomically(join(folder, "report.json"), `${JSON.stringify(result, null, 2)}\n`);
  await writeFileAtomically(join(folder, "report.txt"), describeReport(result));
}
