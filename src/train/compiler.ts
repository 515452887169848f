/** Graphs and sessions of a run's objective, as its configuration asks: device, precision, recomputation, adapters. */
import { ConfigError } from "../errors.ts";
import { Graph } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { scale } from "../graph/ops/index.ts";
import type { Dim } from "../graph/shape.ts";
import { differentiated, mixedPrecision } from "../models/graphs.ts";
import { Owned } from "../runtime/owned.ts";
import { createSession, type Session, type SessionOptions } from "../runtime/session.ts";
import { tensor } from "../tensor/tensor.ts";
import type { Config } from "./config.ts";
import type { Compiler, LossProgram, Objective } from "./objectives/objective.ts";
import { frozenOf, frozenWeights, widenedOf } from "./frozen.ts";
import type { Parameters } from "../runtime/parameters.ts";
import { loraAdapter, mergedTensors, partOf } from "./trainable.ts";

/** Where a run computes: 0 threads are one a core. */
export function sessionOptions({ device, threads }: Pick<Config, "device" | "threads">): SessionOptions {
  return { device, threads: threads === 0 ? undefined : threads };
}

/** Where "auto" leads, found by compiling a graph of one node: weights in few bits are kept so on the CPU alone. */
export async function placed(config: Config): Promise<Config> {
  if (config.device !== "auto") return config;
  const g = new Graph();
  g.output("y", scale(g.input("x", "float32", [1]), 2));
  const onCuda = await createSession(toOnnx(g), { device: "cuda" }).then(
    async (session) => {
      await session.dispose();
      return true;
    },
    () => false,
  );
  return { ...config, device: onCuda ? "cuda" : "cpu" };
}

/** The loss of an objective, compiled when it is first run. */
export function lossProgram(config: Config, objective: Objective): LossProgram {
  const compiler = compilerOf(config, objective);
  return objective.program?.(compiler) ?? simpleProgram(config, objective, compiler);
}

/** @throws ConfigError for what ONNX Runtime does not compute in. */
function checkedPrecision({ precision }: Config): "float32" | "float16" {
  if (precision !== "bfloat16") return precision;
  throw new ConfigError("precision: expected float32 or float16 on this engine, got bfloat16", {
    hint: "set one of the two, or train on PyTorch: galen launch",
  });
}

function compilerOf(config: Config, { start }: Objective): Compiler {
  const { checkpointing, trainable, lora } = config;
  const precision = checkedPrecision(config);
  const targets = lora.targets ?? start.family.loraTargets;
  const adapt = trainable === "lora" ? loraAdapter({ ...lora, targets }) : undefined;
  const part = partOf(trainable, start);
  return {
    lossGraph: (loss, training) =>
      differentiated(loss, {
        training,
        adapt,
        gradients: training && ((name, parameter) => part(name, parameter) !== undefined),
        ...(training ? { checkpointing, precision } : {}),
      }),
    graph: (training) =>
      new Graph({ training, ...(training && precision === "float16" ? mixedPrecision(adapt) : { adapt }) }),
    options: sessionOptions(config),
    merged(graph, weights) {
      const frozen = frozenOf(graph, config, start);
      const whole = Object.entries(weights).filter(([name]) => graph.parameters.has(name));
      const all = new Map([...whole, ...frozenWeights(frozen, weights)]) as Parameters["tensors"];
      return Object.fromEntries(mergedTensors(graph, all, lora));
    },
    session(graph) {
      const frozen = frozenOf(graph, config, start);
      return createSession(toOnnx(graph, { widened: widenedOf(frozen) }), {
        ...sessionOptions(config),
        keepRecomputation: checkpointing && graph.training,
        sparing: checkpointing || frozen.size > 0,
      });
    },
  };
}

/** A program whose loss is one run of one graph. */
function simpleProgram({ batch }: Pick<Config, "batch">, objective: Objective, compiler: Compiler): LossProgram {
  const { loss, order } = objective;
  const owned = new Owned();
  const made = new Map<boolean, Promise<Session>>();
  const graphOf = (training: boolean): Graph => {
    // Blocks of a stream are all alike, and a graph of fixed shapes is the faster one.
    const rows: Dim = training && order === "stream" ? batch! : "B";
    return compiler.lossGraph((g) => loss(g, rows), training);
  };
  const graph = graphOf(true);
  const session = (training: boolean): Promise<Session> => {
    let known = made.get(training);
    if (known === undefined) {
      known = compiler.session(training ? graph : graphOf(false)).then((one) => owned.use(one));
      made.set(training, known);
    }
    return known;
  };
  return {
    graph,
    async run(examples, { weights, scale, seed }, into) {
      const inputs = {
        ...weights,
        ...examples.feeds,
        scale: tensor("float32", [], Float32Array.of(scale)),
        seed: tensor("int64", [], BigInt64Array.of(BigInt(seed))),
      };
      const outputs = await (await session(into !== undefined)).run(inputs, into);
      return { loss: Number(outputs["loss"]!.data[0]), figures: objective.measure?.(outputs, examples) };
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
