/** A worker thread of `importPubMed`: runs one job after another and hands each result's memory over. */
import { parentPort, workerData } from "node:worker_threads";
import { createJobRunner, type ImportJob, type JobSettings } from "./import-job.ts";

const runJob = createJobRunner(workerData as JobSettings);

parentPort?.on("message", (job: ImportJob) => {
  void runJob(job).then(
    (result) => {
      const moved = result.encoded === undefined ? [] : [result.encoded.bytes.buffer];
      parentPort?.postMessage({ result }, moved);
    },
    (error: unknown) => parentPort?.postMessage({ error }, []),
  );
});
