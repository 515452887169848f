/** A server from its options to its end: what `galen serve` and programs start. */
import { hostname } from "node:os";
import { UsageError } from "../errors.ts";
import type { LoadOptions } from "../model.ts";
import type { SearchIndex } from "../search/types.ts";
import { createApp } from "./app.ts";
import { defaultLimits, type Folders, type Limits } from "./context.ts";
import { createMetrics } from "./metrics.ts";
import { createModels, knownModels } from "./models.ts";
import { startServer } from "./server.ts";

export interface ServeOptions {
  /**
   * Paths, names of the hub, or `NAME=MODEL`; clients call it by that, by the hub's name, or by the
   * folder's (of `runs/nano/model` "nano").
   */
  readonly models?: readonly string[] | undefined;
  /** Stays the caller's, who disposes of it after the server. */
  readonly index?: SearchIndex | undefined;
  readonly folders?: Folders | undefined;
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
  /** How models are loaded. */
  readonly load?: LoadOptions | undefined;
  /** Told of faults, of which clients learn nothing. Default: standard error. */
  readonly log?: ((error: unknown) => void) | undefined;
}

export interface Serving extends AsyncDisposable {
  /** "http://127.0.0.1:8080". */
  readonly url: string;
  /** Begins nothing new, lets end what runs, and unloads the models. */
  stop(): Promise<void>;
}

/**
 * Starts a server; models are loaded when they are asked for.
 * @throws UsageError where the port is taken, two models have one name, or other machines could ask without a token;
 * ConfigError for a model that is none.
 */
export async function serve(options: ServeOptions = {}): Promise<Serving> {
  const { host = "127.0.0.1", port = 8080, token, names = [], folders = {}, index, log = printed } = options;
  requireToken(host, token, options.openToAll === true);
  const limits = { ...defaultLimits, ...options.limits };
  const metrics = createMetrics();
  const models = createModels(await knownModels(options.models ?? []), { load: options.load, limits, metrics });
  const [stopping, ending] = [new AbortController(), new AbortController()];
  const guard = { token, hosts: [host, hostname(), ...names] };
  const [ends, signals] = [() => ending.abort(), { stopping: stopping.signal, signal: ending.signal }];
  const app = createApp({ index, models, folders, guard, limits, metrics, ...signals, log });
  const server = await startServer(app, { host, port, limits, abort: ends });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      stopping.abort();
      await server.stop();
      await models[Symbol.asyncDispose]();
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
