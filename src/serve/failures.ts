/**
 * What a client is told when a request fails: OpenAI's `{error: {message, type, param, code}}`, whatever went wrong. Own
 * errors say what to do; of a fault the client learns that there was one, the log the rest. No stack, no path of this machine.
 */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type ErrorCode, GalenError } from "../errors.ts";

export interface Refusal {
  /** The field of the request that is wrong: "messages.0.role". */
  readonly param?: string | undefined;
  /** A word for programs: "model_not_found". */
  readonly code?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

interface Failure extends Refusal {
  readonly status: ContentfulStatusCode;
  readonly message: string;
}

/** An error that a route throws to answer with this status. */
export function refusal(status: ContentfulStatusCode, message: string, told: Refusal = {}): HTTPException {
  return new HTTPException(status, { message, cause: told });
}

const typeOf = (status: number): string => {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
};

/** What a mistake of each kind is to a client: its own, or the server's. */
const statusOf: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  USAGE: 400,
  CONFIG: 400,
  SHAPE: 400,
  DATA: 400,
  CHECKPOINT: 500,
  RUNTIME: 500,
};

const absolutePath = /(?<![\w:/.<])(?:[A-Za-z]:)?[\\/](?:[^\\/\s"'`:,;()<>]+[\\/])+(?=[^\\/\s"'`:,;()<>])/g;

/** A message with the last name of every absolute path alone. */
export function withoutPaths(message: string): string {
  return message.replace(absolutePath, "");
}

/** What an error says to the client; undefined for a fault, of which the client learns nothing. */
function described(error: unknown): Failure | undefined {
  if (error instanceof Error && error.name === "AbortError") return ended;
  if (error instanceof HTTPException) {
    return { status: error.status as ContentfulStatusCode, message: error.message, ...(error.cause as Refusal) };
  }
  if (!(error instanceof GalenError)) return undefined;
  return { status: statusOf[error.code], message: withoutPaths(error.message), code: error.code.toLowerCase() };
}

/** The server stops, or unloads the model. */
const ended: Failure = { status: 503, message: "the server has ended this request", headers: { "Retry-After": "5" } };
const fault: Failure = { status: 500, message: "the server failed at this request; its log says how" };

/** The error as the client reads it, in a response or in a stream that has begun; faults go to `log`. */
export function errorBody(error: unknown, log: (error: unknown) => void): { status: number; body: object } {
  const found = described(error);
  if (found === undefined) log(error);
  const { status, message, param = null, code = null } = found ?? fault;
  return { status, body: { error: { message, type: typeOf(status), param, code } } };
}

/** A client that left is told nothing; in the metrics its status is nginx's. */
const clientLeft = 499;

/** The answer to a request that failed. */
export function failed(c: Context, error: unknown, log: (error: unknown) => void): Response {
  if (c.req.raw.signal.aborted) return new Response(null, { status: clientLeft });
  const { status, body } = errorBody(error, log);
  const { headers } = (error instanceof HTTPException ? (error.cause as Refusal | undefined) : undefined) ?? {};
  return c.json(body, status as ContentfulStatusCode, headers);
}
