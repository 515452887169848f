/** Relations of documents of the index, or of a text, by a model that was tuned for them. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Document } from "../../corpus/documents.ts";
import { extractTriples, type Triple } from "../../extract/index.ts";
import { titleOf } from "../../search/passages.ts";
import { openTuned, type TunedModel } from "../../soft-prompts/predict.ts";
import type { App, ServeContext } from "../context.ts";
import { refusal } from "../failures.ts";
import { indexOf, missing, replies, signalOf } from "./schemas.ts";

/** Documents of one request. */
const mostDocuments = 100;

interface Extracted {
  readonly model: string;
  readonly documents: readonly { readonly id: string; readonly triples: readonly Triple[] }[];
}

const extractRoute = createRoute({
  method: "post",
  path: "/extract",
  summary: "Mine documents for relations",
  description: "Places are those of the title and of the text without it, as galen extract has them.",
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .object({
              /** Of the models that the server knows; default: the first that is tuned for a task. */
              model: z.string().max(1000).optional(),
              ids: z.array(z.string().min(1).max(1000)).min(1).max(mostDocuments).optional(),
              text: z.string().min(1).max(200_000).optional(),
              max_new_tokens: z.int().min(1).max(1024).optional(),
            })
            .strict()
            .refine(({ ids, text }) => (ids === undefined) !== (text === undefined), "must have either ids or text"),
        },
      },
    },
  },
  responses: replies<Extracted>("Extracted", "Triples with their places, a list for each document"),
});

/** Title and text of a document of the index, apart, as extraction reads them. */
async function documentsOf(
  context: ServeContext,
  ids: readonly string[],
): Promise<Pick<Document, "id" | "title" | "text">[]> {
  const found = await indexOf(context).documents(ids);
  return found.map((document, i) => {
    if (document === undefined)
      throw missing(`ids.${i}: expected a document of the index, got ${JSON.stringify(ids[i])}`);
    const { id, text, title } = document;
    const first = titleOf(document);
    return first === undefined ? { id, title: "", text } : { id, title, text: text.slice(first.end).trimStart() };
  });
}

/** One tuned model at a time, opened when it is asked for and closed when nobody asks for a while. */
function tunedModels({ models, limits, signal }: ServeContext) {
  let open: { readonly name: string; readonly tuned: Promise<TunedModel> } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  const close = async (): Promise<void> => {
    const tuned = open?.tuned;
    open = undefined;
    await (await tuned?.catch(() => undefined))?.model.dispose();
  };
  const closeInTurn = (): void => void (queue = queue.then(close, close));
  signal.addEventListener("abort", closeInTurn, { once: true });

  async function tunedOf(wanted: string | undefined): Promise<{ name: string; tuned: TunedModel }> {
    const decoders = models.known.filter(({ kind }) => kind === "decoder");
    const chosen = wanted === undefined ? decoders : decoders.filter(({ name }) => name === wanted);
    for (const { name, source } of chosen) {
      if (open?.name !== name) {
        await close();
        open = { name, tuned: openTuned(source) };
      }
      try {
        return { name, tuned: await open.tuned };
      } catch (error) {
        await close();
        if (wanted !== undefined) throw error;
      }
    }
    const hint = "galen serve --model MODEL, one that galen train made for a task of relations";
    throw refusal(404, `model: expected one tuned for relations, got ${wanted ?? "none of this server"}: ${hint}`, {
      param: "model",
      code: "model_not_found",
    });
  }

  /** Requests take turns: a model answers all the documents of one before the next. */
  return <T>(wanted: string | undefined, use: (name: string, tuned: TunedModel) => Promise<T>): Promise<T> => {
    const work = async (): Promise<T> => {
      clearTimeout(timer);
      const { name, tuned } = await tunedOf(wanted);
      timer = setTimeout(closeInTurn, limits.idleTime).unref();
      return use(name, tuned);
    };
    const next = queue.then(work, work);
    queue = next.catch(() => undefined);
    return next;
  };
}

export function extractRoutes(app: App, context: ServeContext): void {
  const withTuned = tunedModels(context);
  app.openapi(extractRoute, async (c) => {
    const { model, ids, text, max_new_tokens: maxNewTokens } = c.req.valid("json");
    const documents = ids === undefined ? [{ id: "text", title: "", text: text! }] : await documentsOf(context, ids);
    const signal = signalOf(c, context);
    const extracted = await withTuned(model, async (name, tuned) => {
      signal.throwIfAborted();
      const triples = await extractTriples(tuned, documents, { maxNewTokens, signal });
      return { model: name, documents: documents.map(({ id }, i) => ({ id, triples: triples[i]! })) };
    });
    return c.json(extracted, 200);
  });
}
