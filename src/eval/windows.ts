/**
 * Evaluation by windows of inputs: what a model gives for each is kept in a folder, a JSON line a window, so that a run
 * that was killed goes on where it was. A window's results do not depend on whether the run was resumed, so neither
 * does the report.
 */
import { join } from "node:path";
import * as z from "zod";
import { openJournal } from "../io/journal.ts";
import { streamOwnLines } from "../io/json.ts";
import { inWindows } from "../io/streams.ts";
import type { TokenVectors } from "../retrieval/max-sim.ts";

export interface WindowOptions {
  /** Folder of results and journal; without it nothing is kept. */
  readonly output?: string | undefined;
  /** Go on where the run in `output` ended. */
  readonly resume?: boolean | undefined;
  /** What must be equal for that besides the protocol: the model's fingerprint. */
  readonly identity?: Readonly<Record<string, unknown>> | undefined;
  /** Inputs of a window. */
  readonly window?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: WindowProgress) => void) | undefined;
}

export interface WindowProgress {
  /** What is counted: "documents". */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Of this run alone, a second. */
  readonly rate: number;
  /** What there is to say so far: "perplexity 12.34". */
  readonly text?: string | undefined;
}

/** Read twice, so not a generator: an array, or what opens a file each time. */
export type Inputs<T> = Iterable<T> | AsyncIterable<T>;

interface Stage<In, Out> {
  readonly name: string;
  readonly inputs: Inputs<In>;
  readonly total: number;
  /** In place of the window's usual size. */
  readonly size?: number;
  /** JSON values, whatever the window's neighbours. */
  compute(window: readonly In[], onDone: (inputs: number) => void): Promise<Out>;
}

export interface Windows extends AsyncDisposable {
  /** Results of every window in order: those kept, then those computed now. */
  run<In, Out>(stage: Stage<In, Out>): AsyncGenerator<Out>;
}

/** Windows done of each stage. */
const doneSchema = z.record(z.string(), z.int().min(0));

/** @throws ConfigError where `output` holds a run and `resume` is false, or a run of another protocol. */
export async function openWindows(
  protocol: Readonly<Record<string, unknown>>,
  stages: readonly string[],
  { output, resume = false, identity = {}, window = 256, signal, onProgress }: WindowOptions,
): Promise<Windows> {
  const settings = { ...protocol, ...identity, window };
  const names = stages.map((name) => `${name}.jsonl`);
  const journal =
    output === undefined ? undefined : await openJournal(output, names, { settings, entry: doneSchema, resume });
  let done: Readonly<Record<string, number>> = Object.fromEntries(
    stages.map((name) => [name, journal?.last?.[name] ?? 0]),
  );
  return {
    async *run({ name, inputs, total, size = window, compute }) {
      const finished = done[name] ?? 0;
      if (finished > 0) yield* streamOwnLines(join(output!, `${name}.jsonl`));
      const started = performance.now();
      let [number, end, before] = [0, 0, 0];
      for await (const part of inWindows(inputs, size)) {
        const first = end;
        end += part.length;
        number += 1;
        if (number <= finished) {
          before = end;
          continue;
        }
        signal?.throwIfAborted();
        const report = (inputs: number): void => {
          const rate = (1000 * (first + inputs - before)) / (performance.now() - started);
          onProgress?.({ stage: name, done: first + inputs, total, rate });
        };
        const result = await compute(part, report);
        done = { ...done, [name]: number };
        await journal?.append(
          stages.map((stage) => (stage === name ? `${JSON.stringify(result)}\n` : "")),
          done,
        );
        report(part.length);
        yield result;
      }
    },
    [Symbol.asyncDispose]: async () => journal?.[Symbol.asyncDispose](),
  };
}

/** Vectors of a text as JSON: their width, and their numbers in base64. */
export interface PackedVectors {
  readonly width: number;
  readonly data: string;
}

export function packVectors({ width, data }: TokenVectors): PackedVectors {
  return { width, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") };
}

export function unpackVectors({ width, data: text }: PackedVectors): TokenVectors {
  const data = new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
  return { width, count: data.length / width, data };
}
