/** A worker thread of a pipeline: one task after another. */
import { parentPort, workerData } from "node:worker_threads";
import { GalenError } from "../../errors.ts";
import { createTaskRunner, type TaskSettings } from "./tasks.ts";
import { type TaskFailure, timed } from "./pool.ts";
import type { Task } from "./work.ts";

const { run } = createTaskRunner(workerData as TaskSettings);

parentPort?.on("message", (task: Task) => {
  timed(() => run(task)).then(
    (result) => parentPort?.postMessage({ result }, []),
    (error: unknown) => {
      const code = error instanceof GalenError ? error.code : undefined;
      const said = error instanceof Error ? error.message : String(error);
      // A mistake of ours: where it happened says more than what.
      const where = error instanceof Error && code === undefined ? ` (${error.stack?.split("\n")[1]?.trim()})` : "";
      const failure: TaskFailure = { code, message: code === undefined ? `${task.marker}: ${said}${where}` : said };
      parentPort?.postMessage({ error: failure }, []);
    },
  );
});
