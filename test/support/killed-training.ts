/** A run that is killed with SIGKILL at random moments and resumed until it ends. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { random } from "../../src/tensor/random.ts";
import type { Config, TrainOptions } from "../../src/train/index.ts";

const script = fileURLToPath(new URL("train-child.ts", import.meta.url));

/** @param kills how often at most. @throws where it does not end after that. */
export async function killedTraining(config: Config, options: TrainOptions, kills = 8): Promise<void> {
  const numbers = random(11);
  for (let attempt = 0; attempt < kills + 2; attempt++) {
    const child = spawn(process.execPath, [script, JSON.stringify(config), JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const delay = attempt < kills ? 20 + numbers.integer(150) : 60_000;
    // The clock starts when training does: before that there is nothing to interrupt.
    child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), delay).unref());
    const [code] = await new Promise<[number | null]>((done) => child.once("exit", (status) => done([status])));
    if (code === 0) return;
  }
  throw new Error("the run did not end");
}
