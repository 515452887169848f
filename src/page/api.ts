/** Requests to the server that the page came from, and its streams of events. A token is in a cookie that the server sets. */
import { useEffect, useState } from "preact/hooks";

/** What went wrong, with the status of the reply; 0 where there was none. */
export type ApiError = Error & { readonly status: number };

function failure(status: number, message: string): ApiError {
  return Object.assign(new Error(message), { status });
}

/** Calls the server. @throws ApiError with the server's own words where it refuses. */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (init.signal?.aborted === true) throw cause;
    throw failure(0, "The server does not answer. Is the command that opened this page still running?");
  }
  if (response.ok) return response;
  // The server has another token by now: in the place of the page it asks for it.
  if (response.status === 401) location.reload();
  throw failure(response.status, await complaintOf(response));
}

async function complaintOf(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    if (typeof error?.message === "string") return error.message;
  } catch {
    // not JSON: the status says what is known
  }
  return `The server answered ${response.status} ${response.statusText}`.trim();
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await call(path, { signal: signal ?? null })).json()) as T;
}

export async function postJson(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const headers = { ...(init.headers as Record<string, string>), "Content-Type": "application/json" };
  return call(path, { ...init, method: "POST", headers, body: JSON.stringify(body) });
}

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** The events of a text/event-stream, until it ends. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop()!;
      for (const block of blocks) {
        const event = eventOf(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function eventOf(block: string): ServerEvent | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^(event|data): ?(.*)$/s.exec(line) ?? [];
    if (name === "event") event = value!;
    if (name === "data") data.push(value!);
  }
  return data.length === 0 ? undefined : { event, data: data.join("\n") };
}

/** Saves what an address gives as a file; of a link that fails the browser would save what the server complains of. */
export async function download(path: string, name: string): Promise<void> {
  const url = URL.createObjectURL(await (await call(path)).blob());
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export interface Loaded<T> {
  /** The last value that came; the one before it while another is on its way. */
  readonly value: T | undefined;
  readonly error: ApiError | undefined;
  readonly loading: boolean;
  readonly reload: () => void;
}

/** What an address gives, asked for again when it changes; null: nothing to ask for. */
export function useJson<T>(path: string | null): Loaded<T> {
  const [state, setState] = useState<{ path?: string | null; value?: T; error?: ApiError }>({});
  const [times, setTimes] = useState(0);
  useEffect(() => {
    if (path === null) {
      setState({});
      return undefined;
    }
    const abort = new AbortController();
    getJson<T>(path, abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ path, value });
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setState({ path, error: error as ApiError });
      },
    );
    return () => abort.abort();
  }, [path, times]);
  const reload = (): void => setTimes((n) => n + 1);
  return { value: state.value, error: state.error, loading: path !== null && state.path !== path, reload };
}
