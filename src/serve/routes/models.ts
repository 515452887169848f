/** `/v1/models`: the models that this server has, by name and kind. */
import { createRoute, z } from "@hono/zod-openapi";
import type { App, ServeContext } from "../context.ts";
import { refusal } from "../failures.ts";
import type { KnownModel } from "../models.ts";
import { json } from "../schemas.ts";

const modelSchema = z
  .object({
    id: z.string(),
    object: z.literal("model"),
    created: z.int(),
    owned_by: z.string(),
    kind: z.enum(["decoder", "embedder", "reranker"]).openapi({ description: "Not OpenAI's" }),
  })
  .openapi("Model");

const list = createRoute({
  method: "get",
  path: "/v1/models",
  tags: ["Models"],
  summary: "All models",
  responses: json(z.object({ object: z.literal("list"), data: z.array(modelSchema) }), "The models"),
});

const one = createRoute({
  method: "get",
  path: "/v1/models/{name}",
  tags: ["Models"],
  summary: "One model",
  request: { params: z.object({ name: z.string().max(500) }) },
  responses: json(modelSchema, "The model"),
});

export function modelRoutes(app: App, { models }: ServeContext): void {
  const created = Math.floor(Date.now() / 1000);
  const described = ({ name, kind }: KnownModel): z.infer<typeof modelSchema> => ({
    id: name,
    object: "model",
    created,
    owned_by: "galen",
    kind,
  });
  app.openapi(list, (c) => c.json({ object: "list" as const, data: models.known.map(described) }, 200));
  app.openapi(one, (c) => {
    const { name } = c.req.valid("param");
    const known = models.known.find((model) => model.name === name);
    if (known === undefined) {
      throw refusal(404, `there is no model called "${name.slice(0, 100)}"`, {
        param: "model",
        code: "model_not_found",
      });
    }
    return c.json(described(known), 200);
  });
}
