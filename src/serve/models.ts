/**
 * Models by name: loaded when they are asked for, one at a time; unloaded when nobody has asked for a while, or when another
 * needs their memory. What a model can do is what its directory is.
 */
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { ConfigError, UsageError } from "../errors.ts";
import { createEngine, type Engine } from "../generate/engine.ts";
import type { Generator } from "../generate/index.ts";
import { hubNameOf, hubSourceOf, resolveModel, type ResolveOptions } from "../hub/index.ts";
import { type LoadOptions, Model } from "../model.ts";
import { scoringKindOf } from "../retrieval/scorers.ts";
import type { ModelFolder } from "../runtime/bind.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { freeMemory } from "../runtime/memory.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import type { Limits } from "./context.ts";
import { refusal } from "./failures.ts";
import type { ServerMetrics } from "./metrics.ts";
import { loadScoring, type LoadedEmbedder, type LoadedReranker } from "./scoring.ts";

export type ModelKind = "decoder" | "embedder" | "reranker";

export interface LoadedDecoder extends AsyncDisposable {
  readonly kind: "decoder";
  readonly name: string;
  readonly generator: Generator;
  readonly tokenizer: Tokenizer;
  readonly engine: Engine;
}

export type Loaded = LoadedDecoder | LoadedEmbedder | LoadedReranker;
type LoadedOf<Kind extends ModelKind> = Extract<Loaded, { readonly kind: Kind }>;

export interface KnownModel {
  readonly name: string;
  readonly kind: ModelKind;
  /** Path of the directory or file. */
  readonly source: string;
}

export interface Models extends AsyncDisposable {
  readonly known: readonly KnownModel[];
  /**
   * A model for as long as the result is not disposed of, loaded if it is not.
   * @throws HTTPException where there is none of this name, or it is of none of these kinds.
   */
  use<Kind extends ModelKind>(name: string, ...kinds: readonly Kind[]): Promise<Lease<LoadedOf<Kind>>>;
}

export interface Lease<L> extends Disposable {
  readonly model: L;
}

export interface ModelsOptions {
  readonly load?: LoadOptions | undefined;
  readonly limits: Pick<Limits, "rows" | "cacheBytes" | "idleTime">;
  readonly metrics: ServerMetrics;
  /** Bytes that are free. Default: `freeMemory`. */
  readonly free?: (() => number) | undefined;
}

/** A path's last part; of a run's model/ the run's. */
function folderName(path: string): string {
  const [last, run] = [basename(path), basename(dirname(path))];
  return last === "model" && /\w/.test(run) ? run : last;
}

/** What a name at the command line says: `NAME=MODEL`, or MODEL, whose name is its folder's or the hub's. */
export function namedSource(given: string): { readonly name: string; readonly source: string } {
  const named = existsSync(given) ? undefined : /^([\w.:-]+)=(.+)$/.exec(given);
  if (named !== null && named !== undefined) return { name: named[1]!, source: named[2]! };
  const published =
    hubSourceOf(given)?.replace(/@[0-9a-f]{40}/, "") ?? (hubNameOf(given) === undefined ? folderName(given) : given);
  return { name: published, source: given };
}

/** What each source is. @throws UsageError where two have one name; ConfigError for one that is none of the kinds. */
export async function knownModels(given: readonly string[], options: ResolveOptions = {}): Promise<KnownModel[]> {
  const found: KnownModel[] = [];
  for (const one of given) {
    const { name, source } = namedSource(one);
    const other = found.find((known) => known.name === name);
    if (other !== undefined) {
      throw new UsageError(`--model ${one}: expected a name of its own, got "${name}" twice`, {
        hint: `--model other=${source} gives it another`,
      });
    }
    const path = await resolveModel(source, options);
    found.push({ name, source: path, kind: await kindOf(path) });
  }
  return found;
}

async function kindOf(path: string): Promise<ModelKind> {
  const scoring = await scoringKindOf(path).catch(() => undefined);
  if (scoring !== undefined) return scoring === "embeddings" ? "embedder" : "reranker";
  const { family } = await openModelFolder(path, { as: "language" });
  if (family.causal) return "decoder";
  throw new ConfigError(`${path}: expected a decoder, an embedding model or a reranker, got ${family.modelType}`, {
    hint: "galen train embeddings-ranking or reranker makes one of an encoder",
  });
}

/** A known model as it is now. */
interface Slot {
  readonly model: KnownModel;
  loaded: Promise<Loaded> | undefined;
  users: number;
  used: number;
  timer: NodeJS.Timeout | undefined;
}

/** The models that a server answers with: opened when one is asked for, closed when it is idle or room is needed. */
export function createModels(known: readonly KnownModel[], options: ModelsOptions): Models {
  const { limits, metrics, free = freeMemory } = options;
  const slots = new Map(
    known.map((model): [string, Slot] => [
      model.name,
      { model, loaded: undefined, users: 0, used: 0, timer: undefined },
    ]),
  );
  let loading = Promise.resolve();
  metrics.gauge(
    "galen_models_loaded",
    {},
    () => [...slots.values()].filter(({ loaded }) => loaded !== undefined).length,
  );

  const unload = async (slot: Slot): Promise<void> => {
    const { loaded, model } = slot;
    slot.loaded = undefined;
    clearTimeout(slot.timer);
    for (const gauge of ["galen_queue_length", "galen_batch_rows", "galen_cache_bytes"] as const) {
      metrics.forget(gauge, { model: model.name });
    }
    await (await loaded?.catch(() => undefined))?.[Symbol.asyncDispose]();
  };

  /** Unloads what nobody uses, longest unused first, until so many bytes are free. */
  const makeRoom = async (bytes: number): Promise<void> => {
    const idle = [...slots.values()]
      .filter(({ loaded, users }) => loaded !== undefined && users === 0)
      .sort((a, b) => a.used - b.used);
    for (const slot of idle) {
      if (free() > 1.25 * bytes) return;
      // Somebody may have asked for it while another was unloaded.
      if (slot.users === 0 && slot.loaded !== undefined) await unload(slot);
    }
  };

  const openDecoder = async (model: KnownModel): Promise<Loaded> => {
    const folder = await openModelFolder(model.source, { as: "language" });
    await makeRoom(bytesOf(folder));
    metrics.count("galen_model_loads_total", { model: model.name });
    return loadDecoder(model.name, folder, options);
  };

  const openScoring = async (model: KnownModel): Promise<Loaded> => {
    // Of its weights alone: whoever scores opens the folder as what it is.
    const folder = await openModelFolder(model.source).catch(() => undefined);
    await makeRoom(folder === undefined ? 0 : bytesOf(folder));
    metrics.count("galen_model_loads_total", { model: model.name });
    return loadScoring(model, options.load);
  };

  const load = async ({ model }: Slot): Promise<Loaded> => {
    const loaded = await (model.kind === "decoder" ? openDecoder(model) : openScoring(model));
    const state = (): { waiting: number; running: number; bytes: number } =>
      loaded.kind === "decoder" ? loaded.engine.state : { waiting: loaded.waiting, running: 0, bytes: 0 };
    metrics.gauge("galen_queue_length", { model: model.name }, () => state().waiting);
    if (loaded.kind === "decoder") {
      metrics.gauge("galen_batch_rows", { model: model.name }, () => state().running);
      metrics.gauge("galen_cache_bytes", { model: model.name }, () => state().bytes);
    }
    return loaded;
  };

  /** Models are loaded one after another: each looks at the memory that is left. */
  const loadedOf = (slot: Slot): Promise<Loaded> => {
    if (slot.loaded !== undefined) return slot.loaded;
    const loaded = loading.then(() => load(slot));
    slot.loaded = loaded;
    loading = loaded.then(
      () => undefined,
      () => undefined,
    );
    // What failed is tried again by the next request: memory may be free by then.
    loaded.catch(() => slot.loaded === loaded && (slot.loaded = undefined));
    return loaded;
  };

  const leave = (slot: Slot): void => {
    slot.users -= 1;
    slot.used = performance.now();
    if (slot.users > 0) return;
    clearTimeout(slot.timer);
    slot.timer = setTimeout(() => {
      if (slot.users === 0) void unload(slot);
    }, limits.idleTime).unref();
  };

  return {
    known,
    async use<Kind extends ModelKind>(name: string, ...kinds: readonly Kind[]): Promise<Lease<LoadedOf<Kind>>> {
      const slot = slots.get(name);
      if (slot === undefined || !kinds.includes(slot.model.kind as Kind)) throw unknown(name, kinds, known);
      slot.users += 1;
      clearTimeout(slot.timer);
      try {
        const model = (await loadedOf(slot)) as LoadedOf<Kind>;
        let left = false;
        return {
          model,
          [Symbol.dispose](): void {
            if (!left) leave(slot);
            left = true;
          },
        };
      } catch (error) {
        leave(slot);
        throw error;
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all([...slots.values()].map(unload));
    },
  };
}

/** Bytes of a model's weights in memory, about. */
function bytesOf({ entries }: ModelFolder): number {
  return [...entries.values()].reduce(
    (sum, { dims, grouped }) => sum + sizeOf(dims) * (grouped === undefined ? 4 : 1.25 * (grouped.bits / 8)),
    0,
  );
}

function unknown(name: string, kinds: readonly ModelKind[], known: readonly KnownModel[]): Error {
  const fitting = known.filter(({ kind }) => kinds.includes(kind)).map((one) => one.name);
  const listed = fitting.length === 0 ? "this server has none" : `this server has ${fitting.join(", ")}`;
  const shown = name.slice(0, 100);
  const message = known.some((one) => one.name === name)
    ? `model: expected a model of kind ${kinds.join(" or ")}, got "${shown}", which is none: ${listed}`
    : `model: there is none called "${shown}": of kind ${kinds.join(" or ")} ${listed}`;
  return refusal(404, message, { param: "model", code: "model_not_found" });
}

async function loadDecoder(
  name: string,
  folder: ModelFolder,
  { load, limits, free = freeMemory }: ModelsOptions,
): Promise<LoadedDecoder> {
  const model = new Model(folder, load);
  try {
    const generator = await model.generator();
    const { tokenizer } = generator;
    if (tokenizer instanceof Error) throw tokenizer;
    const engine = createEngine(generator.decoder, {
      rows: limits.rows,
      cacheBytes: limits.cacheBytes ?? Math.min(4e9, free() / 4),
    });
    return {
      kind: "decoder",
      name,
      generator,
      tokenizer,
      engine,
      async [Symbol.asyncDispose](): Promise<void> {
        await engine[Symbol.asyncDispose]();
        await model.dispose();
      },
    };
  } catch (error) {
    await model.dispose();
    throw error;
  }
}
