/**
 * `/v1/completions` as OpenAI had it, which evaluations speak: prompts as texts or ids, `echo` and `logprobs` over the prompt
 * too, with `max_tokens` 0 for the prompt alone. Left out: `best_of`, `suffix`.
 */
import { randomUUID } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import type { App, ServeContext } from "../context.ts";
import { refusal } from "../failures.ts";
import { generationFields, type Plan, planOf, requireRoom, runPlan, usageOf } from "../generation.ts";
import { completionLogprobs, scored, type Scored, tokenTexts } from "../log-probabilities.ts";
import type { LoadedDecoder } from "../models.ts";
import { bodyOf, json, usageSchema } from "../schemas.ts";
import { endOf, eventStream } from "../sse.ts";

const id = z.int().min(0);
const request = z
  .object({
    ...generationFields,
    prompt: z.union(
      [
        z.string(),
        z.array(z.string()).min(1).max(2048),
        z.array(id).min(1),
        z.array(z.array(id).min(1)).min(1).max(2048),
      ],
      "expected a text, ids, or a list of either",
    ),
    max_tokens: z.int().min(0).nullish().openapi({ description: "Default 16" }),
    echo: z.boolean().nullish(),
    logprobs: z.int().min(0).max(20).nullish(),
    best_of: z.int().nullish(),
    suffix: z.string().nullish(),
  })
  .openapi("CompletionRequest");
type Fields = z.infer<typeof request>;

const logprobs = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()),
  text_offset: z.array(z.int()),
});
const choice = z.object({
  index: z.int(),
  text: z.string(),
  logprobs: logprobs.nullable(),
  finish_reason: z.enum(["stop", "length"]).nullable(),
});
type Choice = z.infer<typeof choice>;
const completion = z
  .object({
    id: z.string(),
    object: z.literal("text_completion"),
    created: z.int(),
    model: z.string(),
    choices: z.array(choice),
    usage: usageSchema.nullish(),
  })
  .openapi("Completion");

const route = createRoute({
  method: "post",
  path: "/v1/completions",
  tags: ["Generation"],
  summary: "Texts that go on with prompts",
  request: bodyOf(request),
  responses: json(completion, "The texts; events of the same shape with `stream`"),
});

export function completionRoutes(app: App, context: ServeContext): void {
  app.openapi(route, async (c) => {
    const fields = c.req.valid("json");
    refuseUnsupported(fields);
    const lease = await context.models.use(fields.model, "decoder");
    const { model } = lease;
    try {
      const prompts = promptsOf(model, fields);
      const plan = planOf(
        model,
        prompts.map(({ ids }) => ids),
        fields,
        { maxTokens: fields.max_tokens ?? 16, usual: 16 },
      );
      requireRoom(model.engine.state.waiting, plan.jobs.length * plan.copies, context);
      const head = {
        id: `cmpl-${randomUUID()}`,
        object: "text_completion" as const,
        created: Math.floor(Date.now() / 1000),
        model: fields.model,
      };
      const signal = endOf(c, context);
      const run = (emit: (part: Choice) => void): Promise<number> =>
        complete(model, { fields, plan, prompts, signal, context }, emit);
      if (fields.stream === true) {
        return eventStream(c, context, async (send) => {
          try {
            const tokens = await run((part) => send({ ...head, choices: [part] }));
            if (fields.stream_options?.include_usage === true) {
              send({ ...head, choices: [], usage: usageOf(plan, tokens) });
            }
          } finally {
            lease[Symbol.dispose]();
          }
        }) as never;
      }
      const choices: Choice[] = [];
      const tokens = await run((part) => void (choices[part.index] = joined(choices[part.index], part)));
      lease[Symbol.dispose]();
      return c.json({ ...head, choices, usage: usageOf(plan, tokens) }, 200);
    } catch (error) {
      lease[Symbol.dispose]();
      throw error;
    }
  });
}

function refuseUnsupported({ best_of, n, suffix }: Fields): void {
  if (best_of !== undefined && best_of !== null && best_of !== (n ?? 1)) {
    throw refusal(400, "best_of: expected none: all n sequences are given", { param: "best_of" });
  }
  if (suffix !== undefined && suffix !== null && suffix !== "") {
    throw refusal(400, "suffix: expected none: no model here fills in the middle", { param: "suffix" });
  }
}

interface Prompt {
  readonly ids: readonly number[];
  /** As it is echoed. */
  readonly text: string;
}

function promptsOf({ tokenizer }: LoadedDecoder, { prompt }: Pick<Fields, "prompt">): Prompt[] {
  const ofText = (text: string): Prompt => {
    const ids = tokenizer.encodeIds(text);
    // An empty text is a text's beginning, whatever the tokenizer puts there.
    const { bos, eos } = tokenizer.special;
    const start = bos ?? eos;
    return { ids: ids.length > 0 || start === undefined ? ids : [start], text };
  };
  const ofIds = (ids: readonly number[]): Prompt => ({
    ids,
    text: tokenizer.decode(
      ids.filter((one) => one < tokenizer.vocabSize),
      { skipSpecialTokens: true },
    ),
  });
  if (typeof prompt === "string") return [ofText(prompt)];
  if (typeof prompt[0] === "number") return [ofIds(prompt as number[])];
  return (prompt as (string | number[])[]).map((one) => (typeof one === "string" ? ofText(one) : ofIds(one)));
}

interface Work {
  readonly fields: Fields;
  readonly plan: Plan;
  readonly prompts: readonly Prompt[];
  readonly signal: AbortSignal;
  readonly context: ServeContext;
}

/** Emits parts of choices, a choice's in their order; returns how many tokens were generated. */
async function complete(
  model: LoadedDecoder,
  { fields, plan, prompts, signal, context }: Work,
  emit: (part: Choice) => void,
): Promise<number> {
  const { tokenizer } = model;
  const count = fields.logprobs ?? undefined;
  const echo = fields.echo === true;
  const textOf = tokenTexts(tokenizer);
  const { copies } = plan;
  const ofPrompt = prompts.map(({ ids }): Scored[] => [{ id: ids[0]!, logprob: null, top: [] }]);
  const offsets = plan.jobs.flatMap((_, i) =>
    Array.from({ length: copies }, () => (echo ? prompts[i]!.text.length : 0)),
  );
  const begun = new Set<number>();
  let tokens = 0;
  const withPrompt = (index: number, part: Choice): Choice => {
    if (!echo || begun.has(index)) return part;
    begun.add(index);
    const prompt = Math.floor(index / copies);
    const before = count === undefined ? null : completionLogprobs(ofPrompt[prompt]!, textOf, 0);
    return joined({ index, text: prompts[prompt]!.text, logprobs: before, finish_reason: null }, part);
  };
  await runPlan(
    model,
    plan,
    { seed: fields.seed, signal, context },
    {
      onPrompt:
        echo && count !== undefined
          ? (prompt, at, scores) => {
              const next = prompts[prompt]!.ids[at + 1];
              if (next !== undefined) ofPrompt[prompt]!.push(scored(next, scores, count));
            }
          : undefined,
      onPiece(index, { id, text, scores, finish }): void {
        tokens += 1;
        const one =
          count === undefined ? null : completionLogprobs([scored(id, scores, count)], textOf, offsets[index]!);
        if (one !== null) offsets[index]! += one.tokens[0]!.length;
        if (text === "" && one === null && finish === null) return;
        emit(withPrompt(index, { index, text, logprobs: one, finish_reason: finish }));
      },
    },
  );
  if (fields.max_tokens === 0) {
    for (let index = 0; index < plan.jobs.length * copies; index++) {
      const none = count === undefined ? null : completionLogprobs([], textOf, 0);
      emit(withPrompt(index, { index, text: "", logprobs: none, finish_reason: "length" }));
    }
  }
  return tokens;
}

function joined(before: Choice | undefined, part: Choice): Choice {
  if (before === undefined) return part;
  const { logprobs: a } = before;
  const { logprobs: b } = part;
  if (a !== null && b !== null) {
    a.tokens.push(...b.tokens);
    a.token_logprobs.push(...b.token_logprobs);
    a.top_logprobs.push(...b.top_logprobs);
    a.text_offset.push(...b.text_offset);
  }
  return { ...part, text: before.text + part.text, logprobs: a };
}
