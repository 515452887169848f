/** Downloads that break, lie, are killed or run side by side: what has a final name is whole, and nothing comes twice. */
import { spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { entryOf, etagOf, type Fault, type HubModel } from "../../test/support/hub-server.ts";
import { type HubWorld, hubWorld } from "../../test/support/hub-env.ts";
import { resolveModel } from "./index.ts";

// Who waits before asking again need not wait here.
vi.mock(import("node:timers/promises"), async (original) => {
  const real = await original();
  const setTimeout: typeof real.setTimeout = (ms, value, options) => real.setTimeout((ms ?? 0) / 50, value, options);
  return { ...real, setTimeout };
});

const weights = Uint8Array.from({ length: 2_000_000 }, (_, i) => (i * 7919 + (i >> 8)) % 251);
const files = { "config.json": Buffer.from('{"model_type": "bert"}'), "model.safetensors": weights };
const blob = etagOf("model.safetensors", weights);

let world: HubWorld;
beforeEach(async () => {
  world = await hubWorld({ "org/model": { files } });
});
afterEach(() => world[Symbol.asyncDispose]());

const blobs = (): string => join(world.model("org/model"), "blobs");
const partial = (): string => join(blobs(), `${blob}.galen.incomplete`);
/** What was asked of storage, by range. */
const ranges = (): (string | undefined)[] =>
  world.hub.requests.filter(({ path }) => path.startsWith("/storage")).map(({ range }) => range);
/** Of answers with the weights, one after the other; good ones in the end. */
const faults = (...all: readonly (Fault | undefined)[]): void => {
  let time = 0;
  world.hub.fault = (path) => (path === "model.safetensors" ? all[time++] : undefined);
};
const isWhole = (path: string): boolean => readFileSync(join(path, "model.safetensors")).equals(weights);

test("a break is gone on from where it was", async () => {
  faults({ breakAfter: 700_000 }, { breakAfter: 600_000 });
  expect(isWhole(await resolveModel("org/model"))).toBe(true);
  const [first, second, third] = ranges();
  expect([first, ranges().length]).toEqual([undefined, 3]);
  const [from, to] = [second, third].map((range) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
  expect(from).toBeGreaterThan(0);
  expect(to! - from!).toBeGreaterThan(0);
  expect(readdirSync(blobs()).filter((name) => name.endsWith("incomplete"))).toEqual([]);
});

test("what an earlier call left is gone on from, too; none of it has a final name before", async () => {
  const down = Array.from({ length: 20 }, () => ({ status: 503 }));
  faults({ breakAfter: 900_000 }, ...down);
  await expect(resolveModel("org/model")).rejects.toThrow(/expected an answer from http.*, got status 503/);
  const left = statSync(partial()).size;
  expect(left).toBeGreaterThan(0);
  expect(existsSync(join(blobs(), blob))).toBe(false);
  world.hub.requests.length = 0;
  faults();
  const kept: number[] = [];
  const path = await resolveModel("org/model", { onProgress: ({ done }) => kept.push(done) });
  expect(isWhole(path)).toBe(true);
  expect(ranges()).toEqual([`bytes=${left}-`]);
  expect(kept[0]).toBe(left);
}, 30_000);

test("a server that knows no ranges begins again", async () => {
  faults({ breakAfter: 700_000 }, { ignoreRange: true });
  expect(isWhole(await resolveModel("org/model"))).toBe(true);
});

test("a server that is busy is asked again", async () => {
  faults({ status: 503 }, { status: 429 });
  expect(isWhole(await resolveModel("org/model"))).toBe(true);
});

test("bytes of another hash are refused, and nothing of them is kept", async () => {
  faults({ body: weights.with(1_000_000, 7) });
  await expect(resolveModel("org/model")).rejects.toThrow(
    new RegExp(`org/model: model.safetensors: expected the SHA-256 ${blob}, got [0-9a-f]{64}\\nHint: .*try again`),
  );
  expect(existsSync(partial())).toBe(false);
  expect(existsSync(join(blobs(), blob))).toBe(false);
  expect(isWhole(await resolveModel("org/model"))).toBe(true);
});

test("small files are checked, by git's hash", async () => {
  world.hub.fault = (path) => (path === "config.json" ? { body: Buffer.from('{"model_type": "evil"}') } : undefined);
  await expect(resolveModel("org/model")).rejects.toThrow(/config.json: expected the git hash [0-9a-f]{40}, got/);
});

test("what was left damaged is fetched anew, once", async () => {
  mkdirSync(blobs(), { recursive: true });
  for (const garbage of [new Uint8Array(500_000), new Uint8Array(3_000_000)]) {
    writeFileSync(partial(), garbage);
    world.hub.requests.length = 0;
    const path = await resolveModel("org/model");
    expect(isWhole(path)).toBe(true);
    expect(ranges()).toEqual(garbage.length < weights.length ? ["bytes=500000-", undefined] : [undefined]);
    // As if it had never been.
    for (const name of [join(blobs(), blob), join(path, "model.safetensors")]) {
      await import("node:fs/promises").then(({ rm }) => rm(name));
    }
  }
});

test("a blob of another size than listed, as a full disk leaves, is fetched anew", async () => {
  mkdirSync(blobs(), { recursive: true });
  writeFileSync(join(blobs(), blob), weights.subarray(0, 1000));
  expect(isWhole(await resolveModel("org/model"))).toBe(true);
});

test("an answer that does not end is left at the listed size", async () => {
  faults({ endless: true });
  await expect(resolveModel("org/model")).rejects.toThrow(
    /model.safetensors: expected 2000000 bytes, as listed, got more/,
  );
  expect(existsSync(partial())).toBe(false);
  expect(existsSync(join(blobs(), blob))).toBe(false);
});

test("an answer that ends too early, always, is given up", async () => {
  world.hub.fault = (path) => (path === "model.safetensors" ? { body: weights.subarray(0, 1000) } : undefined);
  await expect(resolveModel("org/model")).rejects.toThrow(/expected a file as long as it is listed, got a shorter one/);
  expect(existsSync(join(blobs(), blob))).toBe(false);
}, 30_000);

const listed = (entry: object): HubModel => ({ files, listed: [entryOf("config.json", files["config.json"]), entry] });
const entry = entryOf("model.safetensors", weights) as { lfs: object };

test.each<[string, object, RegExp]>([
  ["a path that leads out", { ...entry, path: "../../../outside.json" }, /a file whose path is none/],
  ["an absolute path", { ...entry, path: "/etc/passwd" }, /a file whose path is none/],
  ["a path of Windows", { ...entry, path: "C:\\x" }, /a file whose path is none/],
  ["a path with backslashes", { ...entry, path: "a\\..\\..\\b" }, /a file whose path is none/],
  ["an empty part", { ...entry, path: "a//b" }, /a file whose path is none/],
  ["no path", { ...entry, path: undefined }, /a file whose path is none/],
  ["a negative size", { ...entry, lfs: { ...entry.lfs, size: -1 } }, /a file whose lfs.size is none/],
  ["a size that is no number", { ...entry, lfs: { ...entry.lfs, size: "9" } }, /a file whose lfs.size is none/],
  ["a size that no number holds", { ...entry, lfs: { ...entry.lfs, size: 1e300 } }, /a file whose lfs.size is none/],
  ["a size that no disk holds", { ...entry, lfs: { ...entry.lfs, size: 2 ** 52 } }, /expected room for 4503599.6 GB/],
  ["a hash that leads out", { ...entry, lfs: { ...entry.lfs, oid: "../../x" } }, /a file whose lfs.oid is none/],
  ["a hash of no kind", { ...entry, oid: "abc" }, /a file whose oid is none/],
])("%s in the list is refused", async (_, wrong, message) => {
  world.hub.models.set("org/model", listed(wrong));
  await expect(resolveModel("org/model")).rejects.toThrow(message);
  expect(
    readdirSync(world.home, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("outside")),
  ).toEqual([]);
  expect(world.hub.fetched()).toEqual([]);
});

test("an index that no memory should hold is refused", async () => {
  const { oid } = entryOf("config.json", files["config.json"]) as { oid: string };
  const large = { type: "file", path: "model.safetensors.index.json", size: 200_000_000, oid };
  world.hub.models.set("org/model", { files, listed: [large] });
  await expect(resolveModel("org/model")).rejects.toThrow(
    /index.json: expected at most 100000000 bytes, got 200000000/,
  );
  expect(world.hub.fetched()).toEqual([]);
});

test("a commit that is none is refused", async () => {
  world.hub.models.set("org/model", { files, revisions: { main: "../../x" } });
  await expect(resolveModel("org/model")).rejects.toThrow(/expected answers as of Hugging Face's hub, got the commit/);
});

test("equal files are fetched once", async () => {
  const same = Buffer.from("{}");
  const modules = Buffer.from(JSON.stringify(["1_A", "2_B", "3_C"].map((path) => ({ path }))));
  world.hub.models.set("org/model", {
    files: {
      ...files,
      "modules.json": modules,
      "1_A/config.json": same,
      "2_B/config.json": same,
      "3_C/config.json": same,
    },
  });
  const path = await resolveModel("org/model");
  for (const name of ["1_A", "2_B", "3_C"]) expect(readFileSync(join(path, name, "config.json"), "utf8")).toBe("{}");
  expect(world.hub.fetched().filter((one) => /\d_\w\/config.json$/.test(one))).toHaveLength(1);
});

test("two calls of a process, and three processes, fetch it once", async () => {
  world.hub.fault = () => ({ delayMs: 100 });
  const child = fileURLToPath(new URL("../../test/support/pull-child.ts", import.meta.url));
  const processes = Array.from({ length: 3 }, () => runChild(child));
  const paths = await Promise.all([resolveModel("org/model"), resolveModel("org/model"), ...processes]);
  expect(new Set(paths).size).toBe(1);
  expect(isWhole(paths[0]!)).toBe(true);
  expect(lstatSync(join(paths[0]!, "model.safetensors")).isSymbolicLink()).toBe(true);
  expect(ranges()).toEqual([undefined]);
  expect(readdirSync(blobs())).toHaveLength(2);
}, 30_000);

/** What it printed last. */
function runChild(script: string): Promise<string> {
  const child = spawn(process.execPath, [script, "org/model"], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((done) => child.on("close", () => done(text.trim().split("\n").at(-1)!)));
}

test("killed with SIGKILL on its way, it leaves no half file under a final name, and goes on from there", async () => {
  faults({ breakAfter: 1_000_000 }, { delayMs: 60_000 });
  const script = fileURLToPath(new URL("../../test/support/pull-child.ts", import.meta.url));
  const child = spawn(process.execPath, [script, "org/model"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => child.on("close", done));
  await vi.waitUntil(() => existsSync(partial()) && statSync(partial()).size > 0, { timeout: 20_000 });
  child.kill("SIGKILL");
  await ended;
  expect(existsSync(join(blobs(), blob))).toBe(false);
  expect(existsSync(join(world.model("org/model"), "refs"))).toBe(false);
  const left = statSync(partial()).size;
  world.hub.requests.length = 0;
  faults();
  expect(isWhole(await resolveModel("org/model"))).toBe(true);
  expect(ranges()).toEqual([`bytes=${left}-`]);
}, 40_000);

test("a disk that takes no more is said to be so", async () => {
  const script = fileURLToPath(new URL("../../test/support/pull-child.ts", import.meta.url));
  // Files of at most 512,000 bytes (dash counts in blocks of 512).
  const child = spawn("/bin/sh", ["-c", `ulimit -f 1000; exec "${process.execPath}" "${script}" org/model`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((done) => child.on("close", done));
  expect(said).toMatch(/expected to write it, got a limit on the size of files/);
  expect(existsSync(join(blobs(), blob))).toBe(false);
  expect(existsSync(dirname(partial()))).toBe(true);
}, 30_000);

test("a signal ends it at once", async () => {
  faults({ breakAfter: 1000 }, { delayMs: 60_000 });
  const controller = new AbortController();
  const running = resolveModel("org/model", {
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done > 100) controller.abort();
    },
  });
  await expect(running).rejects.toMatchObject({ name: "AbortError" });
});
