/** `/tokenize` and `/detokenize`, as vLLM has them: a model's tokens of a text or of messages, and back. */
import { createRoute, z } from "@hono/zod-openapi";
import { chatIds } from "../../tokenizers/chat.ts";
import { messagesOf, messageSchema } from "../chat-messages.ts";
import type { App, ServeContext } from "../context.ts";
import { refusal } from "../failures.ts";
import { bodyOf, json } from "../schemas.ts";

const model = z.string().max(500);
const tokenize = createRoute({
  method: "post",
  path: "/tokenize",
  tags: ["Tokens"],
  summary: "Tokens of a text, or of messages as the model reads them",
  request: bodyOf(
    z.object({
      model,
      prompt: z.string().optional(),
      messages: z.array(messageSchema).min(1).optional(),
      add_special_tokens: z.boolean().nullish(),
    }),
  ),
  responses: json(
    z.object({
      count: z.int(),
      max_model_len: z.int().nullable(),
      tokens: z.array(z.int()),
      token_strs: z.array(z.string()),
    }),
    "The tokens",
  ),
});

const detokenize = createRoute({
  method: "post",
  path: "/detokenize",
  tags: ["Tokens"],
  summary: "The text of tokens",
  request: bodyOf(z.object({ model, tokens: z.array(z.int().min(0)) })),
  responses: json(z.object({ prompt: z.string() }), "The text"),
});

export function tokenRoutes(app: App, { models }: ServeContext): void {
  app.openapi(tokenize, async (c) => {
    const { model: name, prompt, messages, add_special_tokens: framed } = c.req.valid("json");
    if ((prompt === undefined) === (messages === undefined)) {
      throw refusal(400, "prompt: expected either prompt or messages", { param: "prompt" });
    }
    using lease = await models.use(name, "decoder", "embedder", "reranker");
    const { tokenizer } = lease.model;
    let ids: number[];
    if (prompt === undefined) {
      ids = await chatIds(tokenizer, messagesOf(messages!), { contentIsText: tokenizer.literal !== undefined });
    } else {
      const { before, after } = tokenizer.frame;
      const all = tokenizer.encodeIds(prompt);
      ids = framed === false ? all.slice(before.length, all.length - after.length) : all;
    }
    const most = lease.model.kind === "decoder" ? lease.model.generator.decoder.cache.maxTokens : null;
    const names = ids.map((id) => tokenizer.tokenOf(id) ?? "");
    return c.json({ count: ids.length, max_model_len: most, tokens: ids, token_strs: names }, 200);
  });
  app.openapi(detokenize, async (c) => {
    const { model: name, tokens } = c.req.valid("json");
    using lease = await models.use(name, "decoder", "embedder", "reranker");
    const { tokenizer } = lease.model;
    const bad = tokens.find((id) => id >= tokenizer.vocabSize);
    if (bad !== undefined) {
      throw refusal(400, `tokens: expected ids below ${tokenizer.vocabSize}, got ${bad}`, { param: "tokens" });
    }
    return c.json({ prompt: tokenizer.decode(tokens) }, 200);
  });
}
