/** Routes of `galen feedback`: how far a rater is, an item, and what the rater says of it. */
import { createRoute, z } from "@hono/zod-openapi";
import { raterSchema, rankingSchema } from "../../feedback/judgements.ts";
import type { Routes } from "../context.ts";
import { replies } from "../routes/schemas.ts";
import type { FeedbackItem, FeedbackProgress } from "./replies.ts";
import type { FeedbackSession } from "./session.ts";

const rater = z.object({ rater: raterSchema });
const params = z.object({ number: z.coerce.number().int().min(1) });
const item = replies<FeedbackItem>("FeedbackItem", "The item as the rater sees it");

const progressRoute = createRoute({
  method: "get",
  path: "/feedback",
  summary: "How far a rater is",
  request: { query: z.object({ rater: raterSchema.optional() }) },
  responses: replies<FeedbackProgress>("FeedbackProgress", "Items, and those that are judged"),
});

const itemRoute = createRoute({
  method: "get",
  path: "/feedback/{number}",
  summary: "A prompt and its answers, in the rater's own order",
  request: { params, query: rater },
  responses: item,
});

const bodyOf = <S extends z.ZodType>(schema: S) =>
  ({ required: true, content: { "application/json": { schema } } }) as const;

const judgeRoute = createRoute({
  method: "post",
  path: "/feedback/{number}/judgement",
  summary: "Say how the answers rank and which are wrong, or with null take it back",
  request: { params, body: bodyOf(rater.extend({ judgement: rankingSchema.nullable() }).strict()) },
  responses: item,
});

const revealRoute = createRoute({
  method: "post",
  path: "/feedback/{number}/reveal",
  summary: "After judging: who wrote the answers, and what others said",
  request: { params, body: bodyOf(rater.strict()) },
  responses: item,
});

/** The routes over one session. */
export function feedbackRoutes(session: FeedbackSession): Routes {
  return (app) => {
    app.openapi(progressRoute, async (c) => c.json(await session.progress(c.req.valid("query").rater ?? ""), 200));
    app.openapi(itemRoute, async (c) =>
      c.json(await session.item(c.req.valid("query").rater, c.req.valid("param").number), 200),
    );
    app.openapi(judgeRoute, async (c) => {
      const { number } = c.req.valid("param");
      const { rater: who, judgement } = c.req.valid("json");
      if (judgement === null) return c.json(await session.takeBack(who, number), 200);
      return c.json(await session.judge(who, number, judgement), 200);
    });
    app.openapi(revealRoute, async (c) =>
      c.json(await session.reveal(c.req.valid("json").rater, c.req.valid("param").number), 200),
    );
  };
}
