/** What every route is given: the index, the models, the folders, what requests may cost, and the end of it all. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { SearchIndex } from "../search/types.ts";
import type { ServerMetrics } from "./metrics.ts";
import type { Models } from "./models.ts";

export type App = OpenAPIHono;

/** Routes are added by functions of this kind, one a file. */
export type Routes = (app: App, context: ServeContext) => void;

/** Who may ask. */
export interface Guard {
  /** Expected of every request; undefined: none. */
  readonly token: string | undefined;
  /** Names that this server is called by besides IP addresses and localhost, as the Host header has them. */
  readonly hosts: readonly string[];
}

export interface Limits {
  /** Bytes of a request's body. */
  readonly body: number;
  /** Bytes of all bodies that are being read or worked on. */
  readonly bodies: number;
  /** Milliseconds for a client to send its headers, and its whole request. */
  readonly headersTime: number;
  readonly requestTime: number;
  /** Milliseconds that a client may leave what it was sent untaken. */
  readonly writeTime: number;
  /** Open connections. */
  readonly connections: number;
  /** Rows that a model decodes at once. */
  readonly rows: number;
  /** Bytes of keys and values of a model's rows; undefined: a quarter of what memory is free, at most 4 GB. */
  readonly cacheBytes: number | undefined;
  /** Sequences, texts or pairs that may wait for one model: what comes beyond is refused. */
  readonly waiting: number;
  /** Milliseconds after which a model that nobody asks is unloaded. */
  readonly idleTime: number;
  /** Milliseconds that requests have to end in once the server is told to stop. */
  readonly stopTime: number;
}

export const defaultLimits: Limits = {
  body: 16 * 2 ** 20,
  bodies: 256 * 2 ** 20,
  headersTime: 10_000,
  requestTime: 60_000,
  writeTime: 60_000,
  connections: 4096,
  rows: 64,
  cacheBytes: undefined,
  waiting: 4096,
  idleTime: 15 * 60_000,
  stopTime: 30_000,
};

/** Folders that were named at the command line. */
export interface Folders {
  readonly runs?: string | undefined;
  readonly reviews?: string | undefined;
  readonly corpus?: string | undefined;
}

export interface ServeContext {
  readonly index: SearchIndex | undefined;
  readonly models: Models;
  readonly folders: Folders;
  readonly guard: Guard;
  readonly limits: Limits;
  readonly metrics: ServerMetrics;
  /** Aborted when the server stops: no request is begun any more. */
  readonly stopping: AbortSignal;
  /** Aborted when requests that still run have to end. */
  readonly signal: AbortSignal;
  /** For faults, of which clients learn nothing. */
  log(error: unknown): void;
}
