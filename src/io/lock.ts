/**
 * A lock on an output that the system keeps: it is gone with the process that holds it, however that ends, so no dead
 * process keeps anyone out and two that start at once cannot both have it.
 */
import { mkdir, open, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ConfigError } from "../errors.ts";
import { writing } from "./files.ts";

const lockName = ".galen.lock";
const waitMs = 100;

/** Whether an entry of a folder is a lock, which is nobody's work. */
export function isLock(name: string): boolean {
  return name.endsWith(lockName);
}

/**
 * Makes the folder and locks it until the result is disposed of.
 * @throws ConfigError where another run, of this process or another, has it.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  await writing(folder, () => mkdir(folder, { recursive: true }));
  return lock(join(folder, lockName), folder);
}

/** Locks a file, or a folder that is exchanged as a whole: the lock lies beside it. @throws as `lockFolder`. */
export async function lockBeside(path: string): Promise<AsyncDisposable> {
  await writing(path, () => mkdir(dirname(path), { recursive: true }));
  return lock(`${path}${lockName}`, path);
}

/** As `lockFolder`, but waits for whoever has it. @throws the signal's reason once it is aborted. */
export async function waitForFolder(folder: string, signal: AbortSignal): Promise<AsyncDisposable> {
  await writing(folder, () => mkdir(folder, { recursive: true }));
  for (;;) {
    const lock = await take(join(folder, lockName));
    if (!("owner" in lock)) return lock;
    await wait(waitMs, undefined, { signal });
  }
}

async function lock(path: string, what: string): Promise<AsyncDisposable> {
  const lock = await take(path);
  if (!("owner" in lock)) return lock;
  throw new ConfigError(`${what}: expected an output that no other run writes to, got one of process ${lock.owner}`, {
    hint: "wait for it or end it, or name another --output",
  });
}

let hasWarned = false;

/**
 * Whether a lock was had; undefined where the disk has none (Lustre mounted without "flock", NFS without its lock daemon, some of
 * FUSE), where work goes on, warned: a cluster's only shared disk may be such a one.
 */
function attempt(tryLock: () => boolean, path: string): boolean | undefined {
  try {
    return tryLock();
  } catch (error) {
    // As POSIX allows a system to say that another has it.
    if ((error as NodeJS.ErrnoException).code === "EACCES") return false;
    const message = `${path}: the disk has no locks (${(error as Error).message}): see yourself that no other run writes there`;
    if (!hasWarned) process.emitWarning(message, "GalenWarning");
    hasWarned = true;
    return undefined;
  }
}

/** The lock, or who has it. */
async function take(path: string): Promise<AsyncDisposable | { readonly owner: string }> {
  const { tryLock } = await import("fs-native-extensions");
  for (;;) {
    const file = await writing(path, () => open(path, "a+"));
    const taken = attempt(() => tryLock(file.fd), path);
    if (taken === undefined) {
      await file.close();
      return { [Symbol.asyncDispose]: () => unlink(path).catch(() => {}) };
    }
    if (!taken) {
      const owner = (await file.readFile("utf8").catch(() => "")).trim();
      await file.close();
      return { owner };
    }
    // Whoever had it before removes the file: what was locked must be what others will find.
    const [mine, there] = [await file.stat(), await stat(path).catch(() => undefined)];
    if (mine.ino !== there?.ino) {
      await file.close();
      continue;
    }
    await file.truncate(0);
    await file.write(`${process.pid}\n`, 0);
    return {
      async [Symbol.asyncDispose]() {
        await unlink(path).catch(() => {});
        await file.close();
      },
    };
  }
}
