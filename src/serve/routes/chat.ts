/**
 * `/v1/chat/completions`: what a model says next in a conversation, by its own chat template. Tokens that a message's text
 * spells out are text, so that a message cannot end its turn. Left out: tools, audio, images.
 */
import { randomUUID } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import { chatIds } from "../../tokenizers/chat.ts";
import { messagesOf, messageSchema } from "../chat-messages.ts";
import type { App, ServeContext } from "../context.ts";
import { refusal } from "../failures.ts";
import { generationFields, type Piece, type Plan, planOf, requireRoom, runPlan, usageOf } from "../generation.ts";
import { chatLogprob, scored, tokenTexts } from "../log-probabilities.ts";
import type { LoadedDecoder } from "../models.ts";
import { bodyOf, json, usageSchema } from "../schemas.ts";
import { endOf, eventStream } from "../sse.ts";

/** Most new tokens where none are named: each may take its place in memory from the beginning. */
const usualTokens = 1024;

const request = z
  .object({
    ...generationFields,
    messages: z.array(messageSchema).min(1).max(4096),
    max_tokens: z.int().min(1).nullish(),
    max_completion_tokens: z
      .int()
      .min(1)
      .nullish()
      .openapi({ description: "Default 1,024, or what there is room for" }),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.int().min(0).max(20).nullish(),
    tools: z.unknown().optional(),
    tool_choice: z.unknown().optional(),
    functions: z.unknown().optional(),
    modalities: z.array(z.string()).nullish(),
  })
  .openapi("ChatRequest");
type Fields = z.infer<typeof request>;

const token = z.object({ token: z.string(), logprob: z.number(), bytes: z.array(z.int()) });
const logprobs = z.object({ content: z.array(token.extend({ top_logprobs: z.array(token) })) }).nullable();
type Logprobs = NonNullable<z.infer<typeof logprobs>>["content"][number];
const finish = z.enum(["stop", "length"]).nullable();
const chat = z
  .object({
    id: z.string(),
    object: z.literal("chat.completion"),
    created: z.int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.int(),
        message: z.object({ role: z.literal("assistant"), content: z.string(), refusal: z.null() }),
        logprobs,
        finish_reason: finish,
      }),
    ),
    usage: usageSchema.nullish(),
  })
  .openapi("Chat");

const route = createRoute({
  method: "post",
  path: "/v1/chat/completions",
  tags: ["Generation"],
  summary: "What a model says next in a conversation",
  request: bodyOf(request),
  responses: json(chat, "What it says; events with `delta` in place of `message` with `stream`"),
});

export function chatRoutes(app: App, context: ServeContext): void {
  app.openapi(route, async (c) => {
    const fields = c.req.valid("json");
    refuseUnsupported(fields);
    const lease = await context.models.use(fields.model, "decoder");
    const { model } = lease;
    try {
      const plan = await chatPlan(model, fields);
      requireRoom(model.engine.state.waiting, plan.copies, context);
      const head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: fields.model };
      const signal = endOf(c, context);
      const run = (emit: (index: number, said: Said) => void): Promise<number> =>
        say(model, { fields, plan, signal, context }, emit);
      if (fields.stream === true) {
        return eventStream(c, context, async (send) => {
          try {
            await streamed({ ...head, object: "chat.completion.chunk" }, { fields, plan }, { run, send });
          } finally {
            lease[Symbol.dispose]();
          }
        }) as never;
      }
      const choices = Array.from({ length: plan.copies }, (_, index) => ({
        index,
        message: { role: "assistant" as const, content: "", refusal: null },
        logprobs: fields.logprobs === true ? { content: [] as Logprobs[] } : null,
        finish_reason: null as Piece["finish"],
      }));
      const tokens = await run((index, { text, logprob, finish: ended }) => {
        const choice = choices[index]!;
        choice.message.content += text;
        if (logprob !== undefined) choice.logprobs?.content.push(logprob);
        choice.finish_reason = ended;
      });
      lease[Symbol.dispose]();
      return c.json({ ...head, object: "chat.completion" as const, choices, usage: usageOf(plan, tokens) }, 200);
    } catch (error) {
      lease[Symbol.dispose]();
      throw error;
    }
  });
}

function refuseUnsupported({ tools, tool_choice: choice, functions, modalities }: Fields): void {
  const given = Object.entries({ tools, functions }).find(([, value]) => Array.isArray(value) && value.length > 0)?.[0];
  if (given !== undefined || (choice !== undefined && choice !== null && choice !== "none" && choice !== "auto")) {
    const param = given ?? "tool_choice";
    throw refusal(400, `${param}: expected none: models here call no tools; put what they need into the messages`, {
      param,
      code: "unsupported",
    });
  }
  if (modalities?.some((one) => one !== "text") === true) {
    throw refusal(400, 'modalities: expected ["text"]', { param: "modalities", code: "unsupported" });
  }
}

async function chatPlan(model: LoadedDecoder, fields: Fields): Promise<Plan> {
  const { tokenizer } = model;
  const ids = await chatIds(tokenizer, messagesOf(fields.messages), { contentIsText: tokenizer.literal !== undefined });
  const maxTokens = fields.max_completion_tokens ?? fields.max_tokens ?? undefined;
  return planOf(model, [ids], fields, { maxTokens, usual: usualTokens });
}

/** What a token brought. */
interface Said {
  readonly text: string;
  readonly logprob: Logprobs | undefined;
  readonly finish: Piece["finish"];
}

interface Work {
  readonly fields: Fields;
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly context: ServeContext;
}

/** Returns how many tokens were generated. */
async function say(
  model: LoadedDecoder,
  { fields, plan, signal, context }: Work,
  emit: (index: number, said: Said) => void,
): Promise<number> {
  const textOf = tokenTexts(model.tokenizer);
  const count = fields.top_logprobs ?? 0;
  let tokens = 0;
  await runPlan(
    model,
    plan,
    { seed: fields.seed, signal, context },
    {
      onPiece(index, { id, text, scores, finish: ended }): void {
        tokens += 1;
        const logprob = fields.logprobs === true ? chatLogprob(scored(id, scores, count), textOf, count) : undefined;
        emit(index, { text, logprob: logprob as Logprobs | undefined, finish: ended });
      },
    },
  );
  return tokens;
}

interface Streaming {
  run(emit: (index: number, said: Said) => void): Promise<number>;
  send(data: object): void;
}

async function streamed(
  head: object,
  { fields, plan }: Pick<Work, "fields" | "plan">,
  { run, send }: Streaming,
): Promise<void> {
  const counted = fields.stream_options?.include_usage === true;
  const chunk = (index: number, delta: object, more: object = {}): void =>
    send({
      ...head,
      choices: [{ index, delta, logprobs: null, finish_reason: null, ...more }],
      ...(counted ? { usage: null } : {}),
    });
  for (let index = 0; index < plan.copies; index++) chunk(index, { role: "assistant", content: "" });
  const tokens = await run((index, { text, logprob, finish: ended }) => {
    if (text !== "" || logprob !== undefined) {
      chunk(index, { content: text }, { logprobs: logprob === undefined ? null : { content: [logprob] } });
    }
    if (ended !== null) chunk(index, {}, { finish_reason: ended });
  });
  if (counted) send({ ...head, choices: [], usage: usageOf(plan, tokens) });
}
