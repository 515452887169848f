import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Submitted } from "../folder.ts";
import { orderFor, ranksOrder, tasksOrder } from "../../../test/support/orders.ts";
import { driverOrder, jobRequest, ray } from "./ray.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const seen: Seen[] = [];
let status = "RUNNING";
let code: number | null = null;
/** Of newer versions. */
let wanted: string | undefined;

/** As Ray's dashboard answers: to a browser with 405, which "fetch" would be taken for. */
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += String(part)));
  request.on("end", () => {
    const { method = "", url: path = "", headers } = request;
    seen.push({ method, path, headers, body });
    const isBrowser =
      Object.keys(headers).some((name) => name.startsWith("sec-fetch")) ||
      headers["user-agent"]?.startsWith("Mozilla") === true;
    const answer = (number: number, value: unknown): void => void response.writeHead(number).end(JSON.stringify(value));
    if (headers.authorization !== `Bearer ${wanted}` && wanted !== undefined) return answer(401, "Missing token");
    if (isBrowser) return answer(405, "not allowed for browser traffic");
    if (path.endsWith("/stop")) return answer(200, { stopped: true });
    if (path.endsWith("/logs")) return answer(200, { logs: "last words" });
    if (method === "POST") return answer(200, { job_id: "raysubmit_1", submission_id: "raysubmit_1" });
    if (path.endsWith("/gone")) return answer(404, "does not exist");
    return answer(200, { status, message: "m", driver_exit_code: code });
  });
});

let address: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.close());

const jobOf = (id: string): Submitted => ({ ...(orderFor() as unknown as Submitted), id, on: "ray", address });

test("a training is handed in as a driver with its order", async () => {
  const order = { ...ranksOrder({ ranks: 16, perNode: 8 }), address };
  expect(driverOrder(order)).toMatchObject({ nodes: 2, perNode: 8, cpus: 8, gpus: 0, folder: "/data/jobs/nano" });
  expect(await ray.submit(order, await ray.script(order))).toBe("raysubmit_1");
  const { method, path, body } = seen.at(-1)!;
  expect([method, path]).toEqual(["POST", "/api/jobs/"]);
  expect(JSON.parse(body)).toEqual({
    entrypoint: "/opt/torch/bin/python /data/jobs/nano/submit/ray_driver.py /data/jobs/nano/submit/ray.json",
    metadata: { name: "nano-1", folder: "/data/jobs/nano" },
  });
});

test("processors and accelerators are Ray's to give, and nothing else is an option", () => {
  const order = ranksOrder({ ranks: 8, perNode: 8 });
  const options = [
    ["cpus", "64"],
    ["gpus", "8"],
    ["driver-python", "/ray/python"],
  ] as const;
  expect(driverOrder({ ...order, options })).toMatchObject({ cpus: 64, gpus: 8 });
  expect(jobRequest({ ...order, options }).entrypoint).toMatch(/^\/ray\/python /);
  expect(() => driverOrder({ ...order, options: [["partition", "x"]] })).toThrow(
    /--option: expected one of cpus, gpus/,
  );
  expect(() => driverOrder({ ...order, options: [["gpus", "all"]] })).toThrow(
    /--option gpus: expected a number, got "all"/,
  );
});

test("an array's driver is told which tasks are left, and how many at a time", () => {
  expect(driverOrder(tasksOrder([3, 5], 2))).toMatchObject({ tasks: [3, 5], parallel: 2, cpus: 1 });
});

test.each([
  ["PENDING", null, { state: "pending" }],
  ["RUNNING", null, { state: "running" }],
  ["SUCCEEDED", 0, { state: "ended", code: 0 }],
  ["FAILED", 3, { state: "ended", code: 3 }],
  ["FAILED", null, { state: "ended", code: 1 }],
  ["STOPPED", null, { state: "ended", code: 1 }],
])("%s with code %s is %o", async (said, exit, expected) => {
  [status, code] = [said, exit];
  expect(await ray.state(jobOf("raysubmit_1"))).toMatchObject(expected);
});

test("a job that Ray does not know, or nobody who answers, is unknown", async () => {
  expect(await ray.state(jobOf("gone"))).toMatchObject({
    state: "unknown",
    detail: expect.stringContaining("gone") as string,
  });
  const nobody = { ...jobOf("x"), address: "http://127.0.0.1:1" };
  expect(await ray.state(nobody)).toMatchObject({
    state: "unknown",
    detail: expect.stringContaining("ECONNREFUSED") as string,
  });
  await expect(
    ray.submit({ ...ranksOrder({}), address: "http://127.0.0.1:1" }, { files: {}, command: "" }),
  ).rejects.toThrow(/expected Ray's dashboard.*ECONNREFUSED/s);
  await expect(ray.submit({ ...ranksOrder({}), address: "ray://head" }, { files: {}, command: "" })).rejects.toThrow(
    /--address: expected one such as/,
  );
});

test("an id is one part of a path", async () => {
  await ray.cancel(jobOf("../../x y"));
  expect(seen.at(-1)).toMatchObject({ method: "POST", path: "/api/jobs/..%2F..%2Fx%20y/stop" });
  expect(await ray.logs!(jobOf("raysubmit_1"))).toBe("last words");
});

test("a token is shown to a server that wants one, and to no other", async () => {
  process.env["RAY_AUTH_TOKEN"] = "secret";
  try {
    status = "RUNNING";
    await ray.state(jobOf("raysubmit_1"));
    expect(seen.at(-1)!.headers.authorization).toBeUndefined();
    wanted = "secret";
    expect(await ray.state(jobOf("raysubmit_1"))).toMatchObject({ state: "running" });
    expect(seen.at(-1)!.headers.authorization).toBe("Bearer secret");
    wanted = "another";
    await expect(ray.cancel(jobOf("raysubmit_1"))).rejects.toThrow(
      /expected a token, .* got one that it does not know/,
    );
  } finally {
    wanted = undefined;
    delete process.env["RAY_AUTH_TOKEN"];
  }
});
