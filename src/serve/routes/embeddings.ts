/** `/v1/embeddings`: vectors of texts, as lists of numbers or as base64 of float32, which is a quarter of the size. */
import { createRoute, z } from "@hono/zod-openapi";
import { norm } from "../../retrieval/vector-similarity.ts";
import type { App, ServeContext } from "../context.ts";
import { refusal } from "../failures.ts";
import { requireRoom } from "../generation.ts";
import { bodyOf, json } from "../schemas.ts";
import type { LoadedEmbedder } from "../scoring.ts";
import { endOf } from "../sse.ts";

const id = z.int().min(0);
const request = z
  .object({
    model: z.string().max(500),
    input: z.union(
      [
        z.string(),
        z.array(z.string()).min(1).max(2048),
        z.array(id).min(1),
        z.array(z.array(id).min(1)).min(1).max(2048),
      ],
      "expected a text, ids, or a list of either",
    ),
    encoding_format: z.enum(["float", "base64"]).nullish(),
    dimensions: z.int().min(1).nullish(),
    input_type: z.enum(["query", "document"]).nullish().openapi({
      description: "Not OpenAI's: what the texts are to a model that reads queries and documents differently",
    }),
  })
  .openapi("EmbeddingRequest");

const response = z
  .object({
    object: z.literal("list"),
    model: z.string(),
    data: z.array(
      z.object({
        object: z.literal("embedding"),
        index: z.int(),
        embedding: z.union([z.array(z.number()), z.string()]),
      }),
    ),
    usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .openapi("Embeddings");

const route = createRoute({
  method: "post",
  path: "/v1/embeddings",
  tags: ["Retrieval"],
  summary: "Vectors of texts",
  request: bodyOf(request),
  responses: json(response, "The vectors, in the order of the texts"),
});

export function embeddingRoutes(app: App, context: ServeContext): void {
  app.openapi(route, async (c) => {
    const { model: name, input, encoding_format: format, dimensions, input_type: role } = c.req.valid("json");
    using lease = await context.models.use(name, "embedder");
    const { model } = lease;
    if (dimensions !== undefined && dimensions !== null && dimensions > model.width) {
      throw refusal(400, `dimensions: expected at most ${model.width}, the model's, got ${dimensions}`, {
        param: "dimensions",
      });
    }
    const texts = textsOf(model, input);
    requireRoom(model.waiting, texts.length, context);
    const vectors = await model.embed(texts, role ?? undefined, endOf(c, context));
    const tokens = texts.reduce((sum, text) => sum + model.tokenizer.encodeIds(text).length, 0);
    context.metrics.count("galen_prompt_tokens_total", { model: name }, tokens);
    const data = vectors.map((vector, index) => {
      const kept = shortened(vector, dimensions ?? vector.length);
      return { object: "embedding" as const, index, embedding: format === "base64" ? base64(kept) : Array.from(kept) };
    });
    return c.json(
      { object: "list" as const, model: name, data, usage: { prompt_tokens: tokens, total_tokens: tokens } },
      200,
    );
  });
}

/** @throws HTTPException 400 for ids that are no text of the model's: of another's vocabulary, as a rule. */
function textsOf({ tokenizer }: LoadedEmbedder, input: z.infer<typeof request>["input"]): string[] {
  if (typeof input === "string") return [input];
  if (typeof input[0] === "string") return input as string[];
  const rows = (typeof input[0] === "number" ? [input] : input) as readonly (readonly number[])[];
  const { before, after } = tokenizer.frame;
  return rows.map((ids, i) => {
    const own = ids.filter((one) => !before.includes(one) && !after.includes(one));
    const text = own.every((one) => one < tokenizer.vocabSize)
      ? tokenizer.decode(own, { skipSpecialTokens: true })
      : "";
    const again = tokenizer.encodeIds(text);
    const same = again.slice(before.length, again.length - after.length);
    if (same.length === own.length && same.every((one, at) => one === own[at])) return text;
    throw refusal(
      400,
      `input: expected ids that the model's own tokenizer gives, got others in list ${i}: send the text`,
      {
        param: "input",
      },
    );
  });
}

/** The first numbers, as long as the whole: models that were trained for it (Matryoshka) lose little. */
function shortened(vector: Float32Array, dimensions: number): Float32Array {
  if (dimensions === vector.length) return vector;
  const kept = vector.slice(0, dimensions);
  const [own, whole] = [norm(kept), norm(vector)];
  return own === 0 ? kept : kept.map((value) => (value * whole) / own);
}

function base64({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}
