/**
 * The harness of benchmarks: any model that can be asked in one of a benchmark's ways answers the examples of a split,
 * window by window, and the benchmark scores the answers, beside those of its baseline.
 */
import { DataError } from "../errors.ts";
import { required } from "../schema.ts";
import { asBaseline, type EvaluateOptions, type Figure, type Report } from "../metrics/report.ts";
import type { Benchmark, Example, Split } from "../tasks/benchmark.ts";
import type { Abilities } from "./abilities.ts";
import { textsHasher } from "./protocol.ts";
import { runEvaluation } from "./run.ts";
import { type WayName, wayOf } from "./ways.ts";
import type { WindowOptions } from "./windows.ts";

export interface BenchmarkOptions extends WindowOptions {
  /** Folder of the benchmark's data. */
  readonly data: string;
  /** Default "test". */
  readonly split?: Split | undefined;
  /** The first n examples only. */
  readonly limit?: number | undefined;
  /** Of the bootstrap. Default 1. */
  readonly seed?: number | undefined;
  /** How the model is asked, where it could be in several ways. */
  readonly ask?: WayName | undefined;
}

export interface Evaluation<E, Answer> {
  readonly report: Report;
  readonly examples: readonly E[];
  readonly answers: readonly Answer[];
  /** What the model gave for each example: of a tuned model a `Prediction`, of choices their scores. */
  readonly replies: readonly unknown[];
}

/** Examples between two entries of the journal: of questions with choices so many that few are padded for others' length. */
const examplesTogether = (way: WayName): number => (way === "likelihood" ? 128 : 32);

/** @throws DataError where the split is missing, ConfigError where the model cannot be asked. */
export async function evaluate<E extends Example, Answer>(
  benchmark: Benchmark<E, Answer>,
  model: Abilities,
  options: BenchmarkOptions,
): Promise<Evaluation<E, Answer>> {
  required("evaluate: benchmark", benchmark, "object");
  required("evaluate: model", model, "object");
  required("evaluate: options", options, "object");
  const { data, split = "test", limit, seed = 1, ask, signal } = options;
  required("evaluate: data", data, "text");
  const { name, way } = wayOf(benchmark, model, ask);
  const { window = examplesTogether(name) } = options;
  const examples = (await benchmark.read(data, split)).slice(0, limit);
  if (examples.length === 0) throw new DataError(`${data}: expected examples in split ${split}, got none`);
  const { add, digest } = textsHasher();
  for (const one of examples) add(one.id, benchmark.source(one), benchmark.target(one), ...way.texts(one));
  const protocol = {
    task: benchmark.name,
    version: benchmark.version,
    split,
    examples: examples.length,
    // Generation came first, and its hashes stay what they are.
    ...(name === "generation" ? {} : { asked: name }),
    ...benchmark.settings,
    ...model.protocol,
    seed,
    data: digest(),
  };
  const replies: unknown[] = [];
  const answers: Answer[] = [];
  const report = await runEvaluation(protocol, model, ["answers"], { ...options, window }, async (windows) => {
    const parts = windows.run({
      name: "answers",
      inputs: examples,
      total: examples.length,
      compute: (some, onDone) => way.ask(some, { signal, onDone }),
    });
    for await (const part of parts) replies.push(...part);
    for (const [i, reply] of replies.entries()) answers.push(way.answer(examples[i]!, reply));
    const bootstrap = { seed };
    const measured = benchmark.evaluate(examples, answers, { bootstrap });
    const baseline = await baselineFigures(benchmark, data, examples, { bootstrap });
    return { examples: examples.length, ...measured, figures: [...measured.figures, ...baseline] };
  });
  return { report, examples, answers, replies };
}

/** The figures with intervals of the benchmark's baseline; none without training data. */
async function baselineFigures<E extends Example, Answer>(
  benchmark: Benchmark<E, Answer>,
  folder: string,
  examples: readonly E[],
  options: EvaluateOptions,
): Promise<Figure[]> {
  const { baseline } = benchmark;
  if (baseline === undefined) return [];
  let train: E[];
  try {
    train = await benchmark.read(folder, "train");
  } catch (error) {
    if (error instanceof DataError) return [];
    throw error;
  }
  if (train.length === 0) return [];
  const { figures } = benchmark.evaluate(examples, baseline.answers(train, examples), options);
  return asBaseline(figures, baseline.about);
}
