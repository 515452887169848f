/** Questions to the index: an answer whole or as it comes, kept under an address of its own. */
import { randomUUID } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import { ask } from "../../answers/ask.ts";
import type { AskOptions } from "../../answers/options.ts";
import type { Answer, AnswerEvent } from "../../answers/types.ts";
import type { KeptAnswer } from "../literature/replies.ts";
import { writerBy } from "../literature/writer.ts";
import type { App, ServeContext } from "../context.ts";
import { errorBody } from "../failures.ts";
import { filtersSchema, indexOf, missing, replies, signalOf } from "./schemas.ts";

/** Answers that are kept; the oldest goes first. */
const mostKept = 1000;

const askRoute = createRoute({
  method: "post",
  path: "/ask",
  summary: "Answer a question from the index",
  description: "With stream, or where the client accepts text/event-stream, events: nearest, sentence, withheld, done.",
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .object({
              question: z.string().trim().min(1).max(5000),
              sentences: z.int().min(1).max(50).optional(),
              retracted: z.boolean().optional(),
              filters: filtersSchema.optional(),
              model: z.string().max(500).optional().openapi({
                description: "A decoder that writes the sentences, which are then checked; without it they are quoted",
              }),
              stream: z.boolean().optional(),
            })
            .strict(),
        },
      },
    },
  },
  responses: replies<Answer>("Answer", "Sentences with their sources; its address is in Location"),
});

const answerRoute = createRoute({
  method: "get",
  path: "/answers/{id}",
  summary: "An answer that was given",
  request: { params: z.object({ id: z.string().max(100) }) },
  responses: replies<KeptAnswer>("KeptAnswer", "The answer, and when it was asked"),
});

export function askRoutes(app: App, context: ServeContext): void {
  const kept = new Map<string, KeptAnswer>();
  const keep = (id: string, answer: Answer): void => {
    kept.set(id, { id, asked: new Date().toISOString(), answer });
    if (kept.size > mostKept) kept.delete(kept.keys().next().value!);
  };
  app.openapi(askRoute, async (c) => {
    const index = indexOf(context);
    const { question, stream, model, ...rest } = c.req.valid("json");
    const lease = model === undefined ? undefined : await context.models.use(model, "decoder");
    const writer = lease && writerBy(lease.model, context);
    const options: AskOptions = { ...rest, writer, signal: signalOf(c, context) };
    const id = randomUUID();
    c.header("Location", `/answers/${id}`);
    const events = ask(index, question, options);
    // A question that cannot be answered is refused before a stream begins.
    const first = await events.next().catch((error: unknown) => {
      lease?.[Symbol.dispose]();
      throw error;
    });
    const all = async function* (): AsyncGenerator<AnswerEvent> {
      try {
        for (let { value, done } = first; done !== true; { value, done } = await events.next()) {
          if (value.type === "done") keep(id, value.answer);
          yield value;
        }
      } finally {
        lease?.[Symbol.dispose]();
      }
    };
    if (stream !== true && !(c.req.header("Accept") ?? "").includes("text/event-stream")) {
      for await (const event of all()) if (event.type === "done") return c.json(event.answer, 200);
    }
    return streamSSE(
      c,
      async (sse) => {
        for await (const event of all()) await sse.writeSSE({ event: event.type, data: JSON.stringify(event) });
      },
      async (error, sse) => {
        await sse.writeSSE({ event: "error", data: JSON.stringify(errorBody(error, context.log).body) });
      },
    ) as never;
  });
  app.openapi(answerRoute, (c) => {
    const answer = kept.get(c.req.valid("param").id);
    if (answer === undefined) throw missing("expected an answer that is kept, got the id of none");
    return c.json(answer, 200);
  });
}
