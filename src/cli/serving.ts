/** A server's page in the user's browser, and the server until Ctrl-C: what commands that serve have in common. */
import { once } from "node:events";
import type { Serving } from "../serve/index.ts";
import type { Option } from "./command.ts";
import type { Output } from "./output.ts";

/** Of commands that serve: where, to whom. */
export const servingOptions = {
  host: {
    type: "text",
    hint: "ADDRESS",
    default: "127.0.0.1",
    about: "Address to listen at; 0.0.0.0: all of the machine's",
  },
  port: { type: "integer", hint: "N", least: 0, default: 8080, about: "0: any that is free" },
  token: {
    type: "text",
    hint: "TOKEN",
    about: "Expected of every request (default: GALEN_TOKEN of the environment)",
  },
  "no-token": { type: "flag", about: "Let every machine that reaches --host ask" },
  name: {
    type: "text",
    hint: "NAME",
    many: "repeat",
    about: "A name that the server is called by, behind a proxy or in a network",
  },
  open: { type: "flag", about: "Open the page in a browser" },
} as const satisfies Readonly<Record<string, Option>>;

interface ServingValues {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly "no-token": boolean;
  readonly name: readonly string[];
}

/** `servingOptions` as `serve` and `serveFeedback` take them. */
export function listenOptions({ host, port, token, name, "no-token": openToAll }: ServingValues, output: Output) {
  return {
    host,
    port,
    token: token ?? process.env["GALEN_TOKEN"],
    openToAll,
    names: name,
    log: (error: unknown) => output.note(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  };
}

export interface UntilStopped {
  readonly json: boolean;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Whether the page is shown. */
  readonly open: boolean;
  readonly token: string | undefined;
}

/** Prints the address, and stops the server in order once the signal is aborted. */
export async function serveUntilStopped(server: Serving, options: UntilStopped): Promise<void> {
  const { json, output, signal, token } = options;
  const { url } = server;
  if (json) await output.json({ url });
  else await output.write(`${url}\n`);
  if (options.open) await open(token === undefined ? url : `${url}/?token=${encodeURIComponent(token)}`);
  if (!signal.aborted) await once(signal, "abort");
  await server.stop();
  output.note("stopped");
}

/** Shows an address in the user's browser; where there is none, nothing happens. */
async function open(url: string): Promise<void> {
  const { spawn } = await import("node:child_process");
  const opener = process.platform === "darwin" ? "open" : process.platform === "win32" ? "explorer" : "xdg-open";
  const child = spawn(opener, [url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
