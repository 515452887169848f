/** A server from its address to its end, whatever it answers: who may reach it, and an end in order. */
import { hostname } from "node:os";
import { UsageError } from "../errors.ts";
import { type App, defaultLimits, type Limits, type ServeContext } from "./context.ts";
import { createMetrics } from "./metrics.ts";
import { startServer } from "./server.ts";

export interface ListenOptions {
  /** Default "127.0.0.1". */
  readonly host?: string | undefined;
  /** 0: any that is free. Default 8080. */
  readonly port?: number | undefined;
  /** At least 8 characters without spaces, expected of every request. */
  readonly token?: string | undefined;
  /** Lets other machines ask without a token. Default false. */
  readonly openToAll?: boolean | undefined;
  /** Names that the server is called by besides its addresses. */
  readonly names?: readonly string[] | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Told of faults, of which clients learn nothing. Default: standard error. */
  readonly log?: ((error: unknown) => void) | undefined;
}

export interface Serving extends AsyncDisposable {
  /** "http://127.0.0.1:8080". */
  readonly url: string;
  /** Begins nothing new, lets end what runs, and unloads the models. */
  stop(): Promise<void>;
}

/** What the app is made with. */
export type Surroundings = Pick<ServeContext, "guard" | "limits" | "metrics" | "stopping" | "signal" | "log">;

/** An app, and what is to be disposed of behind it. */
export interface Served {
  readonly app: App;
  dispose(): PromiseLike<void>;
}

/** @throws UsageError where the port is taken, or other machines could ask without a token. */
export async function listen(
  options: ListenOptions,
  make: (surroundings: Surroundings) => Served | Promise<Served>,
): Promise<Serving> {
  const { host = "127.0.0.1", port = 8080, token, names = [], log = printed } = options;
  requireToken(host, token, options.openToAll === true);
  const limits = { ...defaultLimits, ...options.limits };
  const [stopping, ending] = [new AbortController(), new AbortController()];
  const guard = { token, hosts: [host, hostname(), ...names] };
  const signals = { stopping: stopping.signal, signal: ending.signal };
  const { app, dispose } = await make({ guard, limits, metrics: createMetrics(), ...signals, log });
  const server = await startServer(app, { host, port, limits, abort: () => ending.abort() });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      stopping.abort();
      await server.stop();
      await dispose();
    })());
  return { url: server.url, stop, [Symbol.asyncDispose]: stop };
}

function printed(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}

/** Whether no other machine reaches this address. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function requireToken(host: string, token: string | undefined, openToAll: boolean): void {
  const hint = "openssl rand -hex 16 makes one";
  if (token !== undefined && !/^[\x21-\x7E]{8,}$/.test(token)) {
    throw new UsageError("token: expected 8 characters or more, letters, digits or marks, got others", { hint });
  }
  if (isLoopback(host) || token !== undefined || openToAll) return;
  throw new UsageError(`host ${host}: expected a token, since other machines may reach it, got none`, {
    hint: `${hint}; to do without, --no-token (openToAll: true in a program)`,
  });
}
