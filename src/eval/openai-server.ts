/**
 * Requests to a server that speaks OpenAI's interface: JSON there and back, checked, tried again where the server is busy.
 * The key of OPENAI_API_KEY goes to that server alone; no redirection is followed.
 */
import { setTimeout as wait } from "node:timers/promises";
import * as z from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { checked } from "../schema.ts";

export interface OpenAiServer {
  /** Base address with the version: "http://localhost:8000/v1". */
  readonly base: string;
  readonly model: string;
  /** @throws ConfigError where the server refuses or is not there, DataError for another answer than `schema`'s. */
  post<S extends z.ZodType>(path: string, body: object, schema: S, signal?: AbortSignal): Promise<z.output<S>>;
}

/** Whether a model's name is the address of a server, with a model of it behind #. */
export function isServer(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

const models = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });
const failure = z.looseObject({ error: z.looseObject({ message: z.string() }) });

/** A busy server (429, 503) is asked again after what it says, or a second, two, four, … */
const tries = 6;
const longestWait = 60; // seconds
const mostBytes = 256 << 20;

/**
 * @param source such as "http://localhost:8000/v1#biogpt"; without a model's name, the only one that the server has.
 * @throws ConfigError where the server has several, or none, or cannot be reached.
 */
export async function openServer(source: string, signal?: AbortSignal): Promise<OpenAiServer> {
  const url = URL.canParse(source) ? new URL(source) : undefined;
  if (url === undefined || url.username !== "" || url.search !== "") {
    throw new ConfigError(`${source}: expected a server's address, such as http://localhost:8000/v1#model`);
  }
  const named = decodeURIComponent(url.hash.slice(1));
  const base = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  const send = sender(base);
  const model = named === "" ? await onlyModel(base, await send("/models", undefined, models, signal)) : named;
  return { base, model, post: (path, body, schema, by) => send(path, { model, ...body }, schema, by) };
}

function onlyModel(base: string, { data }: z.output<typeof models>): string {
  if (data.length === 1) return data[0]!.id;
  const names = data.map(({ id }) => id).join(", ");
  throw new ConfigError(`${base}: expected one model, got ${data.length === 0 ? "none" : names}`, {
    hint: `name one behind the address: ${base}#${data[0]?.id ?? "model"}`,
  });
}

type Send = <S extends z.ZodType>(
  path: string,
  body: object | undefined,
  schema: S,
  signal?: AbortSignal,
) => Promise<z.output<S>>;

function sender(base: string): Send {
  const key = process.env["OPENAI_API_KEY"];
  const headers = {
    "content-type": "application/json",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  return async (path, body, schema, signal) => {
    for (let attempt = 1; ; attempt++) {
      const response = await reached(base, () =>
        fetch(`${base}${path}`, {
          headers,
          redirect: "error",
          ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
          ...(signal && { signal }),
        }),
      );
      if ((response.status === 429 || response.status === 503) && attempt < tries) {
        await response.body?.cancel();
        const asked = Number(response.headers.get("retry-after"));
        const seconds = asked > 0 ? Math.min(asked, longestWait) : 2 ** (attempt - 1);
        await wait(1000 * seconds, undefined, signal && { signal });
        continue;
      }
      const value = await jsonOf(response, `${base}${path}`);
      if (response.ok) return checked(schema, value, `${base}${path}`, DataError);
      const said = failure.safeParse(value);
      const words = said.success ? `: ${said.data.error.message}` : "";
      throw new ConfigError(`${base}${path}: expected an answer, got status ${response.status}${words}`, {
        hint: response.status === 401 ? "OPENAI_API_KEY names the server's token" : undefined,
      });
    }
  };
}

async function reached(base: string, ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask();
  } catch (cause) {
    if ((cause as Error).name === "AbortError") throw cause;
    const { message } = ((cause as Error).cause ?? cause) as Error;
    throw new ConfigError(`${base}: expected a server, got ${message}`, {
      cause,
      hint: "is it running there? The address ends in /v1, as a rule",
    });
  }
}

async function jsonOf(response: Response, where: string): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > mostBytes) throw new DataError(`${where}: expected at most ${mostBytes >> 20} MiB, got more`);
  }
  const text = Buffer.concat(parts).toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    throw new DataError(`${where}: expected JSON, got status ${response.status} and "${text.slice(0, 60)}"`);
  }
}
