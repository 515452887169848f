/** Runs tasks on worker threads, each of which reads the pipeline for itself, or on this thread where there are none. */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { ConfigError, DataError, type ErrorCode, RuntimeError } from "../../errors.ts";
import { createTaskRunner, type TaskSettings } from "./tasks.ts";
import type { Task } from "./work.ts";

export interface TaskResult {
  readonly marker: unknown;
  /** That the task itself took, without its time in the queue. */
  readonly seconds: number;
}

export interface TaskPool {
  run(task: Task): Promise<TaskResult>;
  /** Stops the threads; tasks under way never settle. */
  close(): Promise<void>;
}

/** An error as it comes out of a thread, where it loses its class. */
export interface TaskFailure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
}

function errorOf({ code, message }: TaskFailure): Error {
  if (code === "CONFIG") return new ConfigError(message);
  return code === undefined ? new RuntimeError(message) : new DataError(message);
}

interface Waiting {
  readonly task: Task;
  resolve(result: TaskResult): void;
  reject(error: unknown): void;
}

/** What `work` makes, and how long that took. */
export async function timed(work: () => Promise<unknown>): Promise<TaskResult> {
  const started = performance.now();
  const marker = await work();
  return { marker, seconds: (performance.now() - started) / 1000 };
}

export function createTaskPool(threads: number, settings: TaskSettings): TaskPool {
  if (threads === 0) {
    const runner = createTaskRunner(settings);
    let last: Promise<unknown> = Promise.resolve();
    // One after another, as a thread does them.
    return {
      run(task) {
        const done = last.then(() => timed(() => runner.run(task)));
        last = done;
        return done;
      },
      close: () => runner.close(),
    };
  }
  // The source runs as .ts under Node's type stripping, the package as .js.
  const url = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
  const workers = Array.from({ length: threads }, () => new Worker(url, { workerData: settings }));
  const queue: Waiting[] = [];
  const busy = new Map<Worker, Waiting>();
  let broken: unknown;
  const dispatch = (): void => {
    for (const worker of workers) {
      if (queue.length === 0) return;
      if (busy.has(worker)) continue;
      const waiting = queue.shift()!;
      busy.set(worker, waiting);
      worker.postMessage(waiting.task, []);
    }
  };
  const fail = (error: unknown): void => {
    broken ??= error;
    for (const waiting of [...busy.values(), ...queue.splice(0)]) waiting.reject(broken);
    busy.clear();
  };
  for (const worker of workers) {
    worker.on("message", (message: TaskResult | { failure: TaskFailure }) => {
      const waiting = busy.get(worker);
      busy.delete(worker);
      if ("failure" in message) {
        const error = errorOf(message.failure);
        waiting?.reject(error);
        fail(error);
      } else waiting?.resolve(message);
      dispatch();
    });
    worker.on("error", (cause) => {
      fail(new RuntimeError(`a thread of the pipeline expected to run on, got ${cause.message}`, { cause }));
    });
  }
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) {
          reject(broken);
          return;
        }
        queue.push({ task, resolve, reject });
        dispatch();
      }),
    async close() {
      for (const worker of workers) worker.removeAllListeners("error");
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
