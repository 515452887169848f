/**
 * Requests to the hub, sent as who asks, and what its refusals mean: by its own codes (X-Error-Code), in messages that say
 * what to do. No request holds more than the name, the revision and the files asked for.
 */
import { CheckpointError, ConfigError, type GalenError } from "../errors.ts";
import { describeName, type HubName } from "./name.ts";
import type { HubSettings } from "./settings.ts";

/** Nobody answered, so the cache is as good as it gets; or the answer was no, and a copy may be in the cache. */
const unreachables = new WeakSet<object>();
const refusals = new WeakSet<object>();

/** Whether the hub could not be asked. */
export function isUnreachable(error: unknown): boolean {
  return unreachables.has(error as object);
}

/** Whether the hub has no model of the name, or not for this asker. */
export function isRefusal(error: unknown): boolean {
  return refusals.has(error as object);
}

export interface Asked {
  readonly name: HubName;
  readonly settings: HubSettings;
  /** A name that may be meant. */
  suggest(): Promise<string | undefined>;
}

/** Sends a GET; the token goes to the hub alone. @throws GalenError for any answer that is not as asked. */
export async function request(
  asked: Asked,
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const { endpoint, token } = asked.settings;
  const identity =
    token !== undefined && url.origin === new URL(endpoint).origin ? { authorization: `Bearer ${token}` } : {};
  let response: Response;
  try {
    response = await fetch(url, { headers: { "user-agent": "galen", ...headers, ...identity }, signal });
  } catch (cause) {
    if ((cause as Error).name === "AbortError") throw cause;
    throw unreachable(asked, reasonOf(cause), cause);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw await refusal(asked, response);
}

/** "ECONNREFUSED connect 127.0.0.1:9", which fetch hides one level down. */
export function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  const { code, message: inner = "" } = (cause ?? {}) as NodeJS.ErrnoException;
  if (code === undefined) return inner || message;
  return inner.includes(code) ? inner : `${code} ${inner}`.trim();
}

export function unreachable(
  { name, settings }: Pick<Asked, "name" | "settings">,
  got: string,
  cause?: unknown,
): GalenError {
  const { HTTPS_PROXY, https_proxy, NODE_USE_ENV_PROXY } = process.env;
  const proxied = (HTTPS_PROXY ?? https_proxy) !== undefined && NODE_USE_ENV_PROXY === undefined;
  const error = new CheckpointError(`${describeName(name)}: expected an answer from ${settings.endpoint}, got ${got}`, {
    cause,
    hint:
      (proxied ? "NODE_USE_ENV_PROXY=1 makes Node use the proxy of HTTPS_PROXY; " : "") +
      "without the network, name a folder with the model's files as a path: ./folder; HF_ENDPOINT names another server",
  });
  unreachables.add(error);
  return error;
}

async function refusal(asked: Asked, { status, headers, url }: Response): Promise<GalenError> {
  const { repo, revision } = asked.name;
  const { endpoint } = asked.settings;
  const [code, said] = [headers.get("x-error-code"), headers.get("x-error-message")];
  const { origin } = new URL(url);
  const [isStorage, words] = [origin !== new URL(endpoint).origin, said === null ? "" : ` (${said})`];
  if (status === 416) {
    return new CheckpointError(
      `${describeName(asked.name)}: expected a file as long as it is listed, got a shorter one`,
    );
  }
  // Storage that the hub sends on to knows no models: its refusal is of this moment's address.
  if (status === 429 || status >= 500 || isStorage) {
    return unreachable(asked, `status ${status}${words}${isStorage ? ` of ${origin}` : ""}`);
  }
  if (code === "RevisionNotFound") {
    return new ConfigError(`${repo}: expected a branch, tag or commit of it, got "${revision}", which there is not`, {
      hint: `leave @${revision} out for its latest state; ${endpoint}/${repo} lists the others`,
    });
  }
  if (code === "EntryNotFound") {
    return new CheckpointError(`${describeName(asked.name)}: expected a file that was listed, got none`);
  }
  if (![401, 403, 404].includes(status)) {
    return new CheckpointError(`${describeName(asked.name)}: expected an answer of ${endpoint}, got status ${status}`);
  }
  const error = await denial(asked, status, code, said);
  refusals.add(error);
  return error;
}

/** No such model, or none for this asker. */
async function denial(
  { name: { repo }, settings: { endpoint, token }, suggest }: Asked,
  status: number,
  code: string | null,
  said: string | null,
): Promise<GalenError> {
  const page = `${endpoint}/${repo}`;
  const login = `make a token on ${endpoint}/settings/tokens and set HF_TOKEN to it, or "hf auth login" of Python`;
  if (code === "GatedRepo" || (status === 403 && token !== undefined)) {
    const got = token === undefined ? "no token to show it by" : "a token whose owner has none";
    return new ConfigError(`${repo}: expected access to it, which its owner grants (it is gated), got ${got}`, {
      hint: `agree to its terms on ${page}${token === undefined ? `, then ${login}` : "; some owners answer by hand"}`,
    });
  }
  if (status === 401 && said?.startsWith("Invalid credentials") === true) {
    return new ConfigError(`${repo}: expected a token that ${endpoint} knows, got one that it does not`, {
      hint: `${login}; models that are open to all need none`,
    });
  }
  const near = await suggest();
  return new ConfigError(`${repo}: expected a model of ${endpoint}, got none of this name (status ${status})`, {
    hint:
      near === undefined
        ? "look at its spelling; a private model needs HF_TOKEN; a folder is named as a path: ./folder"
        : `did you mean "${near}"?`,
  });
}
