import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { lockBeside, lockFolder } from "./lock.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A process that takes the lock, says whether it has it, and holds it until it is killed. */
const script = join(folder, "hold.mjs");
const module = fileURLToPath(new URL("lock.ts", import.meta.url));
writeFileSync(
  script,
  `const { lockFolder } = await import(${JSON.stringify(module)});
   try { await lockFolder(process.argv[2]); console.log("held"); setInterval(() => {}, 1000); }
   catch (error) { console.log(error.message.split(":")[0] === process.argv[2] ? "refused" : error.stack); }`,
);
const hold = (path: string): { said: Promise<string>; kill: () => Promise<void> } => {
  const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  return {
    said: new Promise((resolve) => child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()))),
    kill: () => {
      child.kill("SIGKILL");
      return ended;
    },
  };
};

test("a folder has one run at a time, and is free again after it", async () => {
  const path = join(folder, "one");
  const first = await lockFolder(path);
  await expect(lockFolder(path)).rejects.toThrow(`no other run writes to, got one of process ${process.pid}`);
  await first[Symbol.asyncDispose]();
  expect(existsSync(join(path, ".galen.lock"))).toBe(false);
  await (await lockFolder(path))[Symbol.asyncDispose]();
});

test("another process is refused by name; killed with SIGKILL it keeps nobody out", async () => {
  const path = join(folder, "killed");
  const other = hold(path);
  expect(await other.said).toBe("held");
  await expect(lockFolder(path)).rejects.toThrow(/got one of process \d+/);
  await other.kill();
  expect(existsSync(join(path, ".galen.lock"))).toBe(true);
  await (await lockFolder(path))[Symbol.asyncDispose]();
});

test("of many processes that start at once on a dead lock one has it", async () => {
  const path = join(folder, "raced");
  const dead = hold(path);
  await dead.said;
  await dead.kill();
  const all = Array.from({ length: 8 }, () => hold(path));
  const said = await Promise.all(all.map((one) => one.said));
  await Promise.all(all.map((one) => one.kill()));
  expect(said.toSorted()).toEqual(["held", ...Array(7).fill("refused")]);
});

test("what is exchanged as a whole is locked from beside", async () => {
  const path = join(folder, "dataset");
  const lock = await lockBeside(path);
  await expect(lockBeside(path)).rejects.toThrow(/dataset: expected an output that no other run writes to/);
  expect(existsSync(path)).toBe(false);
  await lock[Symbol.asyncDispose]();
});
