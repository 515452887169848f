/** A server over tiny models, as `galen serve` starts it, on a port of its own. */
import {
  createApp,
  createMetrics,
  createModels,
  defaultLimits,
  knownModels,
  type Limits,
  type ServeContext,
  startServer,
} from "../../src/serve/index.ts";

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** Faults, of which clients learn nothing. */
  readonly faults: unknown[];
  /** The value of a line of /metrics. */
  metric(line: string): Promise<number>;
  stop(): Promise<void>;
}

interface Options {
  readonly models?: readonly string[];
  readonly token?: string;
  readonly limits?: Partial<Limits>;
  readonly more?: Partial<ServeContext>;
}

export async function serveModels({ models: given = [], token, limits: own = {}, more }: Options): Promise<TestServer> {
  const limits = { ...defaultLimits, ...own };
  const metrics = createMetrics();
  const models = createModels(await knownModels(given), { load: { threads: 1 }, limits, metrics });
  const [stopping, ending] = [new AbortController(), new AbortController()];
  const faults: unknown[] = [];
  const app = createApp({
    index: undefined,
    models,
    folders: {},
    guard: { token, hosts: [] },
    limits,
    metrics,
    stopping: stopping.signal,
    signal: ending.signal,
    log: (error) => void faults.push(error),
    ...more,
  });
  const server = await startServer(app, { host: "127.0.0.1", port: 0, limits, abort: () => ending.abort() });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      stopping.abort();
      await server.stop();
      await models[Symbol.asyncDispose]();
    })());
  return {
    url: server.url,
    faults,
    stop,
    async metric(line): Promise<number> {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const text = await (await fetch(`${server.url}/metrics`, { headers })).text();
      const found = text.split("\n").find((one) => one.startsWith(`${line} `));
      return found === undefined ? 0 : Number(found.slice(line.length + 1));
    },
    [Symbol.asyncDispose]: stop,
  };
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Waits until something is so. */
export async function until(isSo: () => Promise<boolean>, what: string, seconds = 20): Promise<void> {
  for (let waited = 0; waited < seconds * 50; waited++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain: ${what}`);
}
