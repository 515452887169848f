/** Runs tasks on worker threads, each of which reads the pipeline for itself, or on this thread where there are none. */
import { extname } from "node:path";
import { ConfigError, DataError, type ErrorCode, RuntimeError } from "../../errors.ts";
import { startThreads, type Threads } from "../../io/threads.ts";
import { createTaskRunner, type TaskSettings } from "./tasks.ts";
import type { Task } from "./work.ts";

export interface TaskResult {
  readonly marker: unknown;
  /** That the task itself took, without its time in the queue. */
  readonly seconds: number;
}

export type TaskPool = Threads<Task, TaskResult>;

/** An error as it comes out of a thread, where it loses its class. */
export interface TaskFailure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
}

function errorOf({ code, message }: TaskFailure): Error {
  if (code === "CONFIG") return new ConfigError(message);
  return code === undefined ? new RuntimeError(message) : new DataError(message);
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
  const { run, close } = startThreads<Task, TaskResult>(url, threads, {
    workerData: settings,
    name: "a thread of the pipeline",
  });
  return {
    close,
    run: (task) =>
      run(task).catch((error: unknown) => {
        throw error instanceof Error ? error : errorOf(error as TaskFailure);
      }),
  };
}
