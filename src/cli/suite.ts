/** A suite on the terminal: a line a benchmark as it is scored, and what a comparison reads in its folder. */
import { join } from "node:path";
import type { AskingOptions } from "../eval/decoders.ts";
import { openForBenchmarks, type OpenedModel, type OpenModelOptions } from "../eval/open.ts";
import { isServer } from "../eval/openai-server.ts";
import { scoredIn } from "../eval/results.ts";
import { writeRecords } from "../eval/records.ts";
import { type SuiteLine, suiteLine } from "../eval/suite-line.ts";
import { benchmarksOf, claimSuite, evaluateSuite, type SuiteResult } from "../eval/suite.ts";
import type { WayName } from "../eval/ways.ts";
import { hubSourceOf } from "../hub/index.ts";
import { modelFingerprint } from "../io/fingerprint.ts";
import { writeFileAtomically } from "../io/files.ts";
import type { LoadOptions } from "../model.ts";
import type { Split } from "../tasks/benchmark.ts";
import type { Report } from "../metrics/report.ts";
import type { Context } from "./command.ts";
import { keepReport } from "./evaluation.ts";
import { tune } from "./tune.ts";

export interface SuiteArguments {
  readonly benchmarks: readonly string[];
  readonly model: string;
  readonly data: string;
  readonly output: string | undefined;
  readonly resume: boolean;
  readonly seen: readonly string[];
  readonly shots: number;
  readonly oneTurn: boolean;
  readonly split: Split;
  readonly limit: number | undefined;
  readonly seed: number;
  readonly anyVersion: boolean;
  /** The way, where one is wanted. */
  readonly way: WayName | undefined;
  readonly ask: AskingOptions;
  readonly copyOnly: boolean;
  readonly load: LoadOptions;
  /** Settings of a training to each benchmark; undefined: the model as it is. */
  readonly tune: readonly string[] | undefined;
  /** Of decoders adapters alone. */
  readonly lora: boolean;
}

type Terminal = Pick<Context<unknown>, "json" | "output" | "progress" | "signal">;

/** Scores the model and writes a line a benchmark; the exit code is 1 where one failed. */
export async function runSuite(args: SuiteArguments, terminal: Terminal): Promise<void> {
  const { model, output: folder } = args;
  const names = benchmarksOf(args.benchmarks);
  await using _ = folder === undefined ? undefined : await claimSuite(folder, args.resume);
  const opener = openerOf(args, terminal);
  try {
    const results = evaluateSuite(names, opener.open, {
      data: args.data,
      output: folder,
      resume: args.resume,
      identity: folder === undefined ? undefined : await identityOf(model),
      seen: args.seen.length === 0 ? undefined : args.seen,
      shots: args.shots,
      oneTurn: args.oneTurn,
      split: args.split,
      limit: args.limit,
      seed: args.seed,
      ask: args.way,
      anyVersion: args.anyVersion,
      signal: terminal.signal,
      onProgress: opener.onProgress,
      ...seeing(terminal),
    });
    // What an earlier call scored stays in the list, and a killed one leaves what it has.
    const scored = new Set(folder === undefined ? [] : await scoredIn(folder));
    const keepList = async (): Promise<void> => {
      if (folder === undefined) return;
      const about = { model: hubSourceOf(model) ?? model, suite: args.benchmarks, benchmarks: [...scored] };
      await writeFileAtomically(join(folder, "suite.json"), `${JSON.stringify(about, null, 2)}\n`);
    };
    for await (const result of results) {
      opener.endLine();
      if (!(await say(result, args, terminal))) continue;
      scored.add(result.name);
      await keepList();
    }
    await keepList();
  } catch (error) {
    opener.endLine();
    if (terminal.signal.aborted && folder !== undefined) {
      terminal.output.note("the same command with --resume goes on there");
    }
    throw error;
  } finally {
    await opener.close();
  }
}

/** How far the training texts are looked through, and what could not be read of them. */
function seeing({ progress, output }: Terminal): Pick<Parameters<typeof evaluateSuite>[2], "onReading" | "onSeen"> {
  let line: ReturnType<Terminal["progress"]> | undefined;
  return {
    onReading({ documents }) {
      line ??= progress("training texts");
      line.update({ done: documents, unit: "documents" });
    },
    onSeen({ unread, failures }) {
      line?.end();
      for (const failure of failures) output.note(failure);
      if (unread > 0) output.note(`${unread.toLocaleString("en-US")} records of the training texts could not be read`);
    },
  };
}

async function identityOf(model: string): Promise<Readonly<Record<string, unknown>>> {
  if (isServer(model)) return { server: model };
  return model === "bm25" ? { model } : { weights: await modelFingerprint(model) };
}

/** Opens the model once, or a tuned one for each benchmark, the one before being closed. */
function openerOf(
  { model, output, load, ask, copyOnly, tune: settings, lora }: SuiteArguments,
  terminal: Terminal,
): {
  open: Parameters<typeof evaluateSuite>[1];
  onProgress: NonNullable<Parameters<typeof evaluateSuite>[2]["onProgress"]>;
  endLine(): void;
  close(): Promise<void>;
} {
  const options: OpenModelOptions = { ...load, ask, predict: { copyOnly } };
  let opened: OpenedModel | undefined;
  let line: ReturnType<Terminal["progress"]> | undefined;
  let asked = "";
  const endLine = (): void => {
    line?.end();
    line = undefined;
  };
  const close = async (): Promise<void> => {
    await opened?.[Symbol.asyncDispose]();
    opened = undefined;
  };
  return {
    async open(benchmark, data) {
      asked = benchmark.name;
      if (settings === undefined) return (opened ??= await openForBenchmarks(model, options));
      await close();
      const run = join(output!, benchmark.name, "tuned");
      const tuned = await tune(
        benchmark,
        { model, data, output: run, settings, lora, chat: ask.chat === true },
        terminal,
      );
      return (opened = await openForBenchmarks(tuned, options));
    },
    onProgress({ done, total, rate }) {
      line ??= terminal.progress(asked);
      line.update({ done, total, unit: "examples", rate });
    },
    endLine,
    close,
  };
}

const percent = (value: number): string => (100 * value).toFixed(2);

/** A line a part, where it was looked for what the training texts hold. */
function partLines({ clean, contaminated, difference }: SuiteLine): string {
  const between = (interval: readonly [number, number] | null | undefined): string =>
    interval ? `[${interval.map(percent).join(", ")}]` : "";
  const line = (title: string, part: SuiteLine["clean"], more = ""): string => {
    if (part === undefined) return "";
    const value = part.value === undefined ? "" : percent(part.value);
    return `  ${title.padEnd(44)}${value.padStart(6)} ${between(part.interval).padEnd(16)}  n ${part.n}${more}\n`;
  };
  const more = difference && `, difference ${percent(difference.value)} ${between(difference.interval)}`;
  return line("not in training texts", clean) + line("in training texts", contaminated, more?.trimEnd());
}

/** Whether the benchmark was scored. */
async function say(
  result: SuiteResult,
  { model, output: folder }: SuiteArguments,
  { json, output }: Terminal,
): Promise<boolean> {
  const { name } = result;
  if ("report" in result) {
    const { report, records } = result;
    const one = suiteLine(name, report);
    if (folder !== undefined) {
      await keepReport(join(folder, name), { model: hubSourceOf(model) ?? model, ...report } as Report);
      if (records !== undefined) await writeRecords(join(folder, name, "records.jsonl"), records);
    }
    if (json) await output.json(one);
    else {
      const { metric, value, interval, n, unparsed, protocol } = one;
      const between = interval === null ? "" : `[${interval.map(percent).join(", ")}]`;
      const unread = unparsed === null || unparsed === 0 ? "" : `, ${unparsed} unparsed`;
      const score = `${percent(value).padStart(6)} ${between.padEnd(16)}`;
      await output.write(`${name.padEnd(28)}${metric.padEnd(18)}${score}  n ${n}${unread}, protocol ${protocol}\n`);
      await output.write(partLines(one));
    }
    return true;
  }
  if ("skipped" in result) {
    if (json) await output.json({ name, skipped: result.skipped });
    else await output.write(`${name.padEnd(28)}skipped: ${result.skipped}\n`);
    return false;
  }
  process.exitCode = 1;
  const { message } = result.failed;
  if (json) await output.json({ name, error: message });
  else await output.write(`${name.padEnd(28)}failed: ${message}\n`);
  return false;
}
