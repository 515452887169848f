/** Jobs on worker threads, one at a time on each; answers come in the order in which they are done. */
import { type ResourceLimits, type Transferable, Worker } from "node:worker_threads";
import { RuntimeError } from "../errors.ts";

/** What a thread posts for each job that it is sent. */
export type Reply<Result> = { readonly result: Result } | { readonly error: unknown };

export interface Threads<Job, Result> {
  /** @throws what the thread replied as `error`; RuntimeError where a thread broke, for this and all later jobs. */
  run(job: Job): Promise<Result>;
  /** Stops the threads; jobs still under way never settle. */
  close(): Promise<void>;
}

export interface ThreadOptions<Job> {
  readonly workerData: unknown;
  /** As messages call a thread: "an import thread". */
  readonly name: string;
  readonly resourceLimits?: ResourceLimits | undefined;
  /** Memory that goes with a job, not a copy of it. */
  readonly moved?: ((job: Job) => readonly Transferable[]) | undefined;
}

/** `url`: the thread's module, which posts a `Reply` for each message. */
export function startThreads<Job, Result>(
  url: URL,
  count: number,
  { workerData, name, resourceLimits = {}, moved = () => [] }: ThreadOptions<Job>,
): Threads<Job, Result> {
  interface Waiting {
    readonly job: Job;
    resolve(result: Result): void;
    reject(error: unknown): void;
  }
  const threads = Array.from({ length: count }, () => new Worker(url, { workerData, resourceLimits }));
  const queue: Waiting[] = [];
  const busy = new Map<Worker, Waiting>();
  let broken: unknown;
  const dispatch = (): void => {
    for (const thread of threads) {
      if (queue.length === 0) return;
      if (busy.has(thread)) continue;
      const waiting = queue.shift()!;
      busy.set(thread, waiting);
      thread.postMessage(waiting.job, moved(waiting.job));
    }
  };
  const fail = (error: unknown): void => {
    broken ??= error;
    for (const waiting of [...busy.values(), ...queue.splice(0)]) waiting.reject(broken);
    busy.clear();
  };
  for (const thread of threads) {
    thread.on("message", (reply: Reply<Result>) => {
      const waiting = busy.get(thread);
      busy.delete(thread);
      if ("result" in reply) waiting?.resolve(reply.result);
      else waiting?.reject(reply.error);
      dispatch();
    });
    thread.on("error", (cause) => {
      fail(new RuntimeError(`${name} expected to run on, got ${cause.message}`, { cause }));
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
