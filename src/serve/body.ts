/** Bodies of requests, read whole before anything of them is parsed: bounded each, and bounded all together. */
import type { MiddlewareHandler } from "hono";
import type { Limits } from "./context.ts";
import { refusal } from "./failures.ts";

/** @throws HTTPException 413 for a body that is too large, 429 where all bodies at once would be. */
export function boundedBodies({ body: most, bodies }: Limits): MiddlewareHandler {
  let held = 0;
  return async (c, next) => {
    const { body, headers } = c.req.raw;
    if (body === null) return next();
    const length = headers.get("content-length");
    const tooLarge = (): Error =>
      refusal(413, `expected a body of at most ${most} bytes, got more`, { code: "body_too_large" });
    if (length !== null && Number(length) > most) throw tooLarge();
    let own = 0;
    const take = (bytes: number): void => {
      if (held + bytes > bodies) {
        throw refusal(429, "the server has as many requests in hand as it takes: try again", {
          code: "busy",
          headers: { "Retry-After": "1" },
        });
      }
      held += bytes;
      own += bytes;
    };
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) {
        if (own + chunk.length > most) throw tooLarge();
        take(chunk.length);
        chunks.push(chunk);
      }
      c.req.raw = new Request(c.req.raw, { method: c.req.method, body: Buffer.concat(chunks) });
      await next();
      return undefined;
    } finally {
      held -= own;
    }
  };
}
