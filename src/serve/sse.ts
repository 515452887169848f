/** Server-sent events: what is made is written as fast as the client takes it, and ends when the client leaves. */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { ServeContext } from "./context.ts";
import { errorBody } from "./failures.ts";

/** Aborted when the client leaves or the server ends what runs. */
export function endOf(c: Context, { signal }: Pick<ServeContext, "signal">): AbortSignal {
  return AbortSignal.any([c.req.raw.signal, signal]);
}

/**
 * A response whose events `work` sends; each is JSON, the last `[DONE]` as OpenAI has it.
 * @param work gets `send`, which never waits: what it was given is written one after another.
 */
export function eventStream(
  c: Context,
  { log }: Pick<ServeContext, "log">,
  work: (send: (data: object) => void) => Promise<void>,
): Response {
  return streamSSE(c, async (stream) => {
    let written = Promise.resolve();
    const write = (data: string): void => {
      written = written.then(() => stream.writeSSE({ data })).catch(() => undefined);
    };
    try {
      await work((data) => write(JSON.stringify(data)));
      write("[DONE]");
    } catch (error) {
      if (!c.req.raw.signal.aborted) write(JSON.stringify(errorBody(error, log).body));
    }
    await written;
  });
}
