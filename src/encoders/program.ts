/**
 * What every training of an encoder has in common: a loss graph, with and without gradients, run on examples by number.
 * Feeds are made of texts as they are needed; a batch is padded to its own longest.
 */
// B batch, T tokens
import { gradients } from "../graph/grad.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { makeBatch, type TokenRows } from "../runtime/batch.ts";
import { Owned } from "../runtime/owned.ts";
import { createSession, type Session, type SessionOptions, type Tensors } from "../runtime/session.ts";
import type { Parameters } from "../runtime/parameters.ts";
import { tensor } from "../tensor/tensor.ts";
import type { Source } from "./source.ts";

export interface Run {
  readonly weights: Tensors;
  /** Of dropout. */
  readonly seed: number;
}

/** A loss over examples that are known by number. */
export interface Program extends AsyncDisposable {
  /** Declares all parameters. */
  readonly graph: Graph;
  /** True for parameters that the start does not have. */
  isNew(name: string): boolean;
  /** Mean loss of these examples; its gradients are written `into`, without which there is no dropout. */
  loss(examples: readonly number[], run: Run, into?: Parameters): Promise<number>;
  /** Writes the model in the format of its field. */
  save(folder: string, parameters: Parameters): Promise<void>;
}

/** A graph with output `loss` and, where asked, `gradient/NAME` of every parameter. */
export function lossGraphOf(build: (g: Graph) => Value, training: boolean): Graph {
  const g = new Graph({ training });
  const loss = g.output("loss", build(g));
  if (!training) return g;
  const parameters = [...g.parameters];
  const found = gradients(
    loss,
    parameters.map(([, { value }]) => value),
  );
  parameters.forEach(([name], i) => g.output(`gradient/${name}`, found[i]!));
  return g;
}

export const gradientFeeds = (into: Parameters): Tensors =>
  Object.fromEntries([...into.tensors].map(([name, value]) => [`gradient/${name}`, value]));

export const seedFeed = (seed: number): Tensors => ({ seed: tensor("int64", [], BigInt64Array.of(BigInt(seed))) });

/** Sessions of a graph made when they are first used. */
export function lazySessions(
  build: (training: boolean) => Graph,
  options: SessionOptions,
): { graph: Graph; session(training: boolean): Promise<Session> } & AsyncDisposable {
  const owned = new Owned();
  const made = new Map<boolean, Promise<Session>>();
  const graph = build(true);
  return {
    graph,
    session(training) {
      let session = made.get(training);
      if (session === undefined) {
        const program = training ? graph : build(false);
        session = createSession(toOnnx(program), options).then((one) => owned.use(one));
        made.set(training, session);
      }
      return session;
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** A program whose loss is one run of one graph. */
export function simpleProgram(
  parts: Pick<Program, "isNew" | "save"> & {
    build(training: boolean): Graph;
    feeds(examples: readonly number[]): Tensors;
  },
  options: SessionOptions,
): Program {
  const sessions = lazySessions(parts.build, options);
  return {
    graph: sessions.graph,
    isNew: parts.isNew,
    save: parts.save,
    async loss(examples, { weights, seed }, into) {
      const session = await sessions.session(into !== undefined);
      const inputs = { ...weights, ...parts.feeds(examples), ...seedFeed(seed) };
      const { loss } = await session.run(inputs, into === undefined ? {} : gradientFeeds(into));
      return Number(loss!.data[0]);
    },
    [Symbol.asyncDispose]: () => sessions[Symbol.asyncDispose](),
  };
}

/** Padded rows under `PREFIX/ids`, and so on. */
export function rowFeeds(prefix: string, rows: TokenRows, { config }: Pick<Source, "config">): Tensors {
  const { tensors } = makeBatch(rows, config);
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [`${prefix}/${name}`, value]));
}

/** int64 [length]. */
export function int64List(values: readonly number[]): Tensors[string] {
  return tensor("int64", [values.length], BigInt64Array.from(values, BigInt));
}

export function float32(values: readonly number[], dims: readonly number[]): Tensors[string] {
  return tensor("float32", dims, Float32Array.from(values));
}
