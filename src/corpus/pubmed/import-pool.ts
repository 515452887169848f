/** Runs import jobs on worker threads, or inline where there is no worker; results come in the order they are done. */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { RuntimeError } from "../../errors.ts";
import { createJobRunner, type ImportJob, type JobResult, type JobSettings } from "./import-job.ts";

export interface ImportPool {
  run(job: ImportJob): Promise<JobResult>;
  /** Stops the threads; jobs still under way never settle. */
  close(): Promise<void>;
}

interface Waiting {
  readonly job: ImportJob;
  resolve(result: JobResult): void;
  reject(error: unknown): void;
}

/** The source runs as .ts under Node's type stripping, the package as .js. */
function startWorker(settings: JobSettings): Worker {
  return new Worker(new URL(`./import-worker${extname(import.meta.url)}`, import.meta.url), {
    workerData: settings,
    resourceLimits: { maxYoungGenerationSizeMb: 96 },
  });
}

export function createImportPool(workers: number, settings: JobSettings): ImportPool {
  if (workers === 0) return { run: createJobRunner(settings), close: async () => {} };
  const queue: Waiting[] = [];
  const busy = new Map<Worker, Waiting>();
  let broken: unknown;

  const threads = Array.from({ length: workers }, () => startWorker(settings));
  const dispatch = (): void => {
    for (const thread of threads) {
      if (queue.length === 0) return;
      if (busy.has(thread)) continue;
      const waiting = queue.shift()!;
      busy.set(thread, waiting);
      thread.postMessage(waiting.job, waiting.job.kind === "parse" ? waiting.job.blocks.map(({ bytes }) => bytes) : []);
    }
  };
  const fail = (error: unknown): void => {
    broken ??= error;
    for (const waiting of [...busy.values(), ...queue.splice(0)]) waiting.reject(broken);
    busy.clear();
  };
  for (const thread of threads) {
    thread.on("message", (message: { result: JobResult } | { error: unknown }) => {
      const waiting = busy.get(thread);
      busy.delete(thread);
      if ("result" in message) waiting?.resolve(message.result);
      else waiting?.reject(message.error);
      dispatch();
    });
    thread.on("error", (cause) => {
      fail(new RuntimeError(`an import thread expected to run on, got ${cause.message}`, { cause }));
    });
  }
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) {
          reject(broken);
          return;
        }
        queue.push({ job, resolve, reject });
        dispatch();
      }),
    async close() {
      for (const thread of threads) thread.removeAllListeners("error");
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}
