/**
 * An array and a training that waits for it on a real Ray of two raylets, which the test starts. RAY names the folder of programs of an
 * environment with ray[default] (…/bin), PEERS_PYTHON a Python with PyTorch.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobStatus, type JobStatus, stopJob } from "../src/launch/index.ts";
import { stdoutOf } from "./support/command-line.ts";
import { canTrain, python } from "./support/torch.ts";

const { RAY: programs } = process.env;
const hasRay = programs !== undefined && existsSync(join(programs, "ray"));
if (!hasRay) console.warn("skipped: RAY names no folder with Ray's programs");

const galen = `env GALEN_SOURCE=1 ${process.execPath} ${fileURLToPath(new URL("../bin/galen.js", import.meta.url))}`;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

describe.skipIf(!hasRay || !canTrain())("on a Ray of two machines", () => {
  // Ray's sockets lie within, and their paths may not be long.
  const folder = mkdtempSync(join(tmpdir(), "gr-"));
  const at = (name: string): string => join(folder, name);
  const token = randomBytes(32).toString("hex");
  const env = { ...process.env, RAY_AUTH_MODE: "token", RAY_AUTH_TOKEN: token };
  let ours: readonly string[];

  /** Ray's processes, by the token in their environment: "ray stop" would end those of others, too. */
  const rays = (): number[] =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
      .filter((name) => {
        try {
          return readFileSync(`/proc/${name}/environ`, "latin1").includes(`RAY_AUTH_TOKEN=${token}`);
        } catch {
          return false;
        }
      })
      .map(Number);

  beforeAll(async () => {
    const ports = await Promise.all(Array.from({ length: 5 }, freePort));
    const [port, dashboard, client, ...agents] = ports.map(String) as [string, string, string, string, string];
    const start = (...words: string[]): void => {
      const more = ["--num-cpus", "2", "--disable-usage-stats", "--object-store-memory", "100000000"];
      const run = spawnSync(join(programs!, "ray"), ["start", ...words, ...more], { encoding: "utf8", env });
      expect(run.status, run.stderr + run.stdout).toBe(0);
    };
    const agent = (i: number): string[] => ["--dashboard-agent-listen-port", agents[i]!];
    const head = ["--head", "--port", port, "--dashboard-port", dashboard, "--ray-client-server-port", client];
    start(...head, "--temp-dir", at("ray"), ...agent(0));
    start("--address", `127.0.0.1:${port}`, ...agent(1));
    process.env["RAY_AUTH_TOKEN"] = token;
    const driver = `driver-python=${join(programs!, "python")}`;
    ours = ["--on", "ray", "--address", `http://127.0.0.1:${dashboard}`, "--option", driver, "--galen", galen];
    const text = "Aspirin lowers the risk of stroke in patients with diabetes of the kidney. ".repeat(4);
    for (const name of ["a", "b"]) {
      const lines = Array.from({ length: 30 }, (_, i) =>
        JSON.stringify({ id: `${name}${i}`, text: `${text}Trial ${i}.` }),
      );
      writeFileSync(at(`${name}.jsonl`), `${lines.join("\n")}\n`);
    }
    await stdoutOf("tokenizer", "train", at("a.jsonl"), "--output", at("tokenizer"), "--vocab-size", "300");
  }, 180_000);

  afterAll(async () => {
    delete process.env["RAY_AUTH_TOKEN"];
    for (const pid of rays()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Ended with another.
      }
    }
    await wait(500);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  });

  async function ended(job: string): Promise<JobStatus> {
    for (let i = 0; i < 480; i++) {
      const status = await jobStatus(job);
      if (!["running", "pending"].includes(status.outcome)) return status;
      await wait(500);
    }
    return jobStatus(job);
  }

  const logsOf = (job: string): string => {
    const names = readdirSync(join(job, "logs")).filter((name) => name.endsWith(".log"));
    return names.map((name) => readFileSync(join(job, "logs", name), "utf8")).join("\n");
  };

  const training = (job: string, ...more: string[]): Promise<string> => {
    const line = `launch biogpt-nano --scale debug --ranks 2 --per-node 1 --python ${python} --tokenizer ${at("tokenizer")} --output ${job}`;
    return stdoutOf(...line.split(" "), ...ours, ...more);
  };

  test("an array is done task by task, and the training that waits for it trains on both", async () => {
    const [data, trained] = [at("data"), at("trained")];
    const line = ["tokenize", "--tokenizer", at("tokenizer"), "{input}", "--output", at("tokens-{name}")];
    await stdoutOf("launch", "array", ...ours, "--over", at("a.jsonl"), at("b.jsonl"), "--output", data, "--", ...line);
    await training(trained, "steps=4", "--data", at("tokens-a"), "--after", data);
    expect((await ended(data)).outcome, logsOf(data)).toBe("finished");
    const { outcome, training: figures } = await ended(trained);
    expect(outcome, logsOf(trained)).toBe("finished");
    expect(figures).toMatchObject({ step: 4, steps: 4 });
    expect(figures!.ranks.map(({ rank }) => rank)).toEqual([0, 1]);
    await stdoutOf("jobs", "fetch", trained, "--output", at("model"));
  }, 300_000);

  test("a training is asked to stop, and saves", async () => {
    const job = at("stopped");
    await training(job, "steps=5000", "evaluate.every=5000", "--data", at("a.jsonl"));
    for (let i = 0; i < 300 && (await jobStatus(job)).training!.step < 3; i++) await wait(500);
    const status = await stopJob(job);
    expect(status.outcome, logsOf(job)).toBe("stopped");
    expect(status.training!.step).toBeGreaterThan(0);
    expect(readdirSync(join(job, "checkpoints")).some((name) => /^step-\d+$/.test(name))).toBe(true);
  }, 300_000);
});
