/** A server over tiny models, as `galen serve` starts it, on a port of its own. */
import { serve, type ServeOptions } from "../../src/serve/index.ts";

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** Faults, of which clients learn nothing. */
  readonly faults: unknown[];
  /** The value of a line of /metrics. */
  metric(line: string): Promise<number>;
  stop(): Promise<void>;
}

export async function serveModels(options: ServeOptions): Promise<TestServer> {
  const faults: unknown[] = [];
  const { token } = options;
  const server = await serve({ port: 0, load: { threads: 1 }, log: (error) => void faults.push(error), ...options });
  return {
    url: server.url,
    faults,
    stop: () => server.stop(),
    async metric(line): Promise<number> {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const text = await (await fetch(`${server.url}/metrics`, { headers })).text();
      const found = text.split("\n").find((one) => one.startsWith(`${line} `));
      return found === undefined ? 0 : Number(found.slice(line.length + 1));
    },
    [Symbol.asyncDispose]: () => server.stop(),
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
