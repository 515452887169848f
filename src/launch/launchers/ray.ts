/**
 * Ray by its Jobs REST interface (API version 4; tried with Ray 2.60). Requests are node:http's: Ray takes those of `fetch` for a
 * browser's and refuses them (ray-project/ray#41503). What runs is a driver of a hundred lines, which asks Ray for machines
 * and starts one torchrun on each, or a task for each of an array's: Ray Train would add nothing that torchrun has not.
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { ConfigError, RuntimeError } from "../../errors.ts";
import type { Submitted } from "../folder.ts";
import { shellLine } from "../shell.ts";
import { type JobState, type Launcher, optionOf, type Order, type Script } from "./launcher.ts";
import { nodesOf, ranksOfNode } from "./script.ts";

const usualAddress = "http://127.0.0.1:8265";
const driverFile = fileURLToPath(new URL("../../../distributed/ray_driver.py", import.meta.url));
const known = ["cpus", "gpus", "driver-python"];

/** What the driver is told: submit/ray.json. */
export function driverOrder(order: Order): Record<string, unknown> {
  const { folder, work, python, galen, after, options } = order;
  const wrong = options.find(([name]) => !known.includes(name));
  if (wrong !== undefined) {
    throw new ConfigError(`--option: expected one of ${known.join(", ")} for Ray, got "${wrong[0]}"`, {
      hint: "cpus and gpus are of a machine of a training, or of a task of an array",
    });
  }
  const perNode = work.kind === "ranks" ? ranksOfNode(work) : 1;
  const resources = {
    cpus: numberOf(options, "cpus") ?? perNode,
    gpus: numberOf(options, "gpus") ?? 0,
  };
  const before = after.map(({ id, folder: done }) => ({ id, folder: done ?? null }));
  const shared = { folder, galen, before, ...resources };
  if (work.kind === "tasks") return { ...shared, tasks: work.tasks, parallel: work.parallel ?? null };
  const { tensorParallel, restarts, prepares } = work;
  return { ...shared, python, nodes: nodesOf(work), perNode, restarts, tensorParallel, prepares };
}

function numberOf(options: Order["options"], name: string): number | undefined {
  const text = optionOf(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new ConfigError(`--option ${name}: expected a number, got "${text}"`);
}

/** The request that hands it in. */
export function jobRequest(order: Order): { entrypoint: string; metadata: Record<string, string> } {
  const python = optionOf(order.options, "driver-python") ?? order.python;
  const place = (name: string): string => join(order.folder, "submit", name);
  return {
    entrypoint: shellLine([python, place("ray_driver.py"), place("ray.json")]),
    metadata: { name: order.name, folder: order.folder },
  };
}

async function script(order: Order): Promise<Script> {
  const told = driverOrder(order);
  return {
    files: {
      "submit/ray.json": `${JSON.stringify(told, null, 2)}\n`,
      "submit/ray_driver.py": await readFile(driverFile, "utf8"),
    },
    command: `POST ${order.address ?? usualAddress}/api/jobs/ ${JSON.stringify(jobRequest(order))}`,
  };
}

/** As Ray's own clients find it: newer versions want one unless they are told otherwise. */
async function tokenOf(): Promise<string | undefined> {
  const { RAY_AUTH_TOKEN: token, RAY_AUTH_TOKEN_PATH: path } = process.env;
  if (token !== undefined && token !== "") return token;
  const text = await readFile(path || join(homedir(), ".ray/auth_token"), "utf8").catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}

const mostBytes = 64 << 20;
const waitMs = 30_000;
const mostTries = 6;

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** A token is shown to a server that asks for one. @throws RuntimeError where nobody answers, or it wants another. */
async function ask(address: string, method: "GET" | "POST", path: string, body?: object): Promise<Reply> {
  const reply = await send(address, method, path, body, undefined);
  if (reply.status !== 401) return reply;
  const token = await tokenOf();
  const again = token === undefined ? reply : await send(address, method, path, body, token);
  if (again.status !== 401 && again.status !== 403) return again;
  const got = token === undefined ? "none" : "one that it does not know";
  throw new RuntimeError(`${address}: expected a token, as this Ray wants one, got ${got}`, {
    hint: "RAY_AUTH_TOKEN or the file RAY_AUTH_TOKEN_PATH (~/.ray/auth_token) has it: that of the cluster's head",
  });
}

function send(
  address: string,
  method: "GET" | "POST",
  path: string,
  body: object | undefined,
  token: string | undefined,
): Promise<Reply> {
  const url = new URL(path.replace(/^\//, ""), address.endsWith("/") ? address : `${address}/`);
  const headers = {
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(
        new RuntimeError(`${address}: expected Ray's dashboard, got ${cause.message}`, {
          hint: 'name it with --address; it is what "ray start --head" prints, and needs ray[default]',
          cause,
        }),
      );
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, { method, headers, timeout: waitMs });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${waitMs / 1000} s`)));
    request.on("error", fail);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        if (text.length > mostBytes) request.destroy(new Error(`more than ${mostBytes} characters`));
      });
      response.on("error", fail);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** What a good reply says. @throws RuntimeError. */
function read<S extends z.ZodType>({ status, text }: Reply, schema: S, address: string): z.output<S> {
  const { data } = schema.safeParse(json(text));
  if (status === 200 && data !== undefined) return data;
  throw new RuntimeError(`${address}: expected Ray to take it, got ${status}: ${text.trim().slice(0, 300)}`);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const accepted = z.object({ submission_id: z.string() });
const described = z.object({
  status: z.enum(["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]),
  message: z.string().nullish(),
  driver_exit_code: z.int().nullish(),
});

async function submit(order: Order): Promise<string> {
  const address = checkedAddress(order.address);
  for (let tries = 1; ; tries++) {
    const reply = await ask(address, "POST", "api/jobs/", jobRequest(order));
    // A head that has just been started; it has waited some seconds itself.
    if (reply.status === 500 && /try again later/.test(reply.text) && tries < mostTries) continue;
    return read(reply, accepted, address).submission_id;
  }
}

/** @throws ConfigError. */
function checkedAddress(address: string = usualAddress): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && ["http:", "https:"].includes(url.protocol)) return address;
  throw new ConfigError(`--address: expected one such as ${usualAddress}, got "${address}"`);
}

function jobPath({ id }: Submitted): string {
  return `api/jobs/${encodeURIComponent(id ?? "")}`;
}

async function state(job: Submitted): Promise<JobState> {
  const address = checkedAddress(job.address);
  let reply: Reply;
  try {
    reply = await ask(address, "GET", jobPath(job));
  } catch (error) {
    return { state: "unknown", detail: (error as Error).message.split("\n")[0] };
  }
  // A head that was started again knows nothing of earlier jobs.
  if (reply.status === 404) return { state: "unknown", detail: `${address} knows no job ${job.id}` };
  const { status, message, driver_exit_code: code } = read(reply, described, address);
  if (status === "PENDING") return { state: "pending", detail: message ?? status };
  if (status === "RUNNING") return { state: "running", detail: status };
  return { state: "ended", code: status === "SUCCEEDED" ? 0 : code || 1, detail: status };
}

async function cancel(job: Submitted): Promise<void> {
  const address = checkedAddress(job.address);
  read(await ask(address, "POST", `${jobPath(job)}/stop`), z.object({ stopped: z.boolean() }), address);
}

async function logs(job: Submitted): Promise<string | undefined> {
  const address = checkedAddress(job.address);
  const { status, text } = await ask(address, "GET", `${jobPath(job)}/logs`);
  return status === 200 ? read({ status, text }, z.object({ logs: z.string() }), address).logs : undefined;
}

export const ray: Launcher = { script, submit, state, cancel, logs };
