/** Runs import jobs on worker threads, or inline where there is no worker; results come in the order they are done. */
import { extname } from "node:path";
import { startThreads, type Threads } from "../../io/threads.ts";
import { createJobRunner, type ImportJob, type JobResult, type JobSettings } from "./import-job.ts";

export type ImportPool = Threads<ImportJob, JobResult>;

export function createImportPool(workers: number, settings: JobSettings): ImportPool {
  if (workers === 0) return { run: createJobRunner(settings), close: async () => {} };
  // The source runs as .ts under Node's type stripping, the package as .js.
  return startThreads(new URL(`./import-worker${extname(import.meta.url)}`, import.meta.url), workers, {
    workerData: settings,
    name: "an import thread",
    resourceLimits: { maxYoungGenerationSizeMb: 96 },
    moved: (job) => (job.kind === "parse" ? job.blocks.map(({ bytes }) => bytes) : []),
  });
}
