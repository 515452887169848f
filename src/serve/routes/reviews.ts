/** Reviews of mined relations by several people. */
import { createRoute, z } from "@hono/zod-openapi";
import { stream } from "hono/streaming";
import { decisionSchema, noneSchema, personSchema } from "../literature/decisions.ts";
import { folderTable } from "../literature/folders.ts";
import { type LiveReview, openReview, reviewMark } from "../literature/review.ts";
import type { JointDecision, Review, ReviewDocument, ReviewEntry } from "../literature/replies.ts";
import type { App, ServeContext } from "../context.ts";
import { missing, replies } from "./schemas.ts";

const name = z.object({ name: z.string().max(1000) });
const show = z.object({ show: z.enum(["all", "open", "conflicts", "reviewed"]).default("all") });
const document = z.object({ document: z.string().min(1).max(1000) });

const listRoute = createRoute({
  method: "get",
  path: "/reviews",
  summary: "Runs of extraction under review",
  responses: replies<ReviewEntry[]>("Reviews", "How far each is"),
});

const reviewRoute = createRoute({
  method: "get",
  path: "/reviews/{name}",
  summary: "A review: how far it is, and its first document",
  request: { params: name, query: show },
  responses: replies<Review>("Review", "The review"),
});

const documentRoute = createRoute({
  method: "get",
  path: "/reviews/{name}/documents/{id}",
  summary: "A document of a review, its relations, and what people said of them",
  request: { params: name.extend({ id: z.string().max(1000) }), query: show },
  responses: replies<ReviewDocument>("ReviewDocument", "The document"),
});

interface Said {
  readonly decisions: readonly JointDecision[];
  readonly none: ReviewDocument["none"];
}

const decisionsRoute = createRoute({
  method: "get",
  path: "/reviews/{name}/decisions",
  summary: "What people said of a document's relations",
  request: { params: name, query: document },
  responses: replies<Said>("Said", "The last of each person, together"),
});

const decideRoute = createRoute({
  method: "post",
  path: "/reviews/{name}/decisions",
  summary: "Say what a person decides on relations of one document",
  request: {
    params: name,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .object({
              person: personSchema,
              decisions: z.array(decisionSchema).max(200).optional(),
              none: noneSchema.optional(),
            })
            .strict()
            .refine(({ decisions = [], none }) => decisions.length > 0 || none !== undefined, "must decide something")
            .refine(
              ({ decisions = [], none }) =>
                new Set([...decisions, ...(none === undefined ? [] : [none])].map((one) => one.document)).size <= 1,
              "must be of one document",
            ),
        },
      },
    },
  },
  responses: replies<Said>("Said", "The last of each person on that document, together"),
});

export function reviewsRoutes(app: App, context: ServeContext): void {
  const opened = new Map<string, LiveReview>();
  const table = (): Promise<ReadonlyMap<string, string>> => folderTable(context.folders.reviews, reviewMark);
  const open = (folder: string): LiveReview => {
    const review = opened.get(folder) ?? openReview(folder);
    opened.set(folder, review);
    return review;
  };
  const find = async (wanted: string): Promise<LiveReview> => {
    const folder = (await table()).get(wanted);
    if (folder === undefined) throw missing(`expected a review of GET /reviews, got ${JSON.stringify(wanted)}`);
    return open(folder);
  };
  const unknown = (id: string): Error => missing(`expected a document of the review, got ${JSON.stringify(id)}`);
  const said = ({ decisions }: LiveReview, id: string): Said => ({
    decisions: decisions.of(id),
    none: decisions.none(id),
  });

  app.openapi(listRoute, async (c) => {
    const entries = [...(await table())].map(([one, folder]) => open(folder).entry(one));
    return c.json(await Promise.all(entries), 200);
  });
  app.openapi(reviewRoute, async (c) => {
    const wanted = c.req.valid("param").name;
    const review = await find(wanted);
    return c.json(await review.review(wanted, c.req.valid("query").show), 200);
  });
  app.openapi(documentRoute, async (c) => {
    const { name: wanted, id } = c.req.valid("param");
    const review = await find(wanted);
    const found = await review.document(id, c.req.valid("query").show);
    if (found === undefined) throw unknown(id);
    return c.json(found, 200);
  });
  app.openapi(decisionsRoute, async (c) => {
    const wanted = c.req.valid("param").name;
    const review = await find(wanted);
    await review.decisions.refresh();
    return c.json(said(review, c.req.valid("query").document), 200);
  });
  app.openapi(decideRoute, async (c) => {
    const wanted = c.req.valid("param").name;
    const review = await find(wanted);
    const { person, decisions = [], none } = c.req.valid("json");
    const all = none === undefined ? decisions : [...decisions, none];
    const id = all[0]!.document;
    if (!(await review.has(id))) throw unknown(id);
    await review.decisions.append(person, all);
    return c.json(said(review, id), 200);
  });
  app.get("/reviews/:name/training.jsonl", async (c) => {
    const wanted = c.req.param("name");
    const review = await find(wanted);
    c.header("Content-Type", "application/x-ndjson");
    c.header("Content-Disposition", 'attachment; filename="train.jsonl"');
    return stream(c, async (out) => {
      for await (const line of review.training()) await out.write(line);
    });
  });
}
