/** A peer in a process of its own, asked line by line (JSON in, JSON out), and what every benchmark prints. */
import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { createInterface } from "node:readline";

export interface Peer extends Disposable {
  /** Sends a request and gives the answer; the first line that the peer prints answers the start itself. */
  ask<T>(request?: unknown): Promise<T>;
}

/** Starts `python script args…`; undefined where PEERS_PYTHON names no Python. */
export function startPeer(script: URL, ...args: string[]): Peer | undefined {
  const python = process.env["PEERS_PYTHON"];
  return python === undefined || python === "" ? undefined : start(python, ["-B", "-P", script.pathname, ...args]);
}

/** Starts a script in Node; undefined where PEERS_NODE names no folder with the peer's packages. */
export function startNodePeer(script: URL, ...args: string[]): Peer | undefined {
  return process.env["PEERS_NODE"] === undefined ? undefined : start(process.execPath, [script.pathname, ...args]);
}

function start(program: string, args: string[]): Peer {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask<T>(request?: unknown): Promise<T> {
      if (request !== undefined) child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new Error(`${program} ${args.join(" ")} ended early`);
      return JSON.parse(value as string) as T;
    },
    [Symbol.dispose]: () => void child.kill(),
  };
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
};

/** Processor and cores, for the head of a table. */
export const machine = (): string =>
  `${cpus()[0]!.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`;
