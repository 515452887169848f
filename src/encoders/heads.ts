/** Training of heads: cross-encoders over pairs, classes of texts, tags of tokens. */
// B rows, n documents of a query, N = B·n pairs, T tokens
import type { Graph, Value } from "../graph/graph.ts";
import { reshape } from "../graph/ops/index.ts";
import { type Dim, product } from "../graph/shape.ts";
import { headOf } from "../models/index.ts";
import { lossGraph } from "../models/graphs.ts";
import { saveCrossEncoder } from "../retrieval/cross-encoder.ts";
import { makeBatch } from "../runtime/batch.ts";
import type { SessionOptions, Tensors } from "../runtime/session.ts";
import type { Labelled } from "../tasks/labelled.ts";
import { encodeCut, firstPieces } from "../tokenizers/words.ts";
import { saveModel } from "../train/checkpoint.ts";
import type { EncoderConfig, Objective } from "./config.ts";
import type { Examples } from "./data.ts";
import { binaryLoss, listNetLoss, rankNetLoss, squaredLoss } from "../nn/losses.ts";
import { float32, int64List, lossGraphOf, type Program, rowFeeds, simpleProgram } from "./program.ts";
import type { BertSource, Source } from "./source.ts";

const isHead = (name: string): boolean => /^(?:classifier|score)\.|(^|\.)pooler\./.test(name);
const pairLosses = { binary: binaryLoss, regression: squaredLoss, ranknet: rankNetLoss, listnet: listNetLoss } as const;

/** Logits [N, 1] of pairs fed under `pairs`. */
function pairLogits(g: Graph, { family, config }: Source, count: Dim): Value {
  const input = (name: string): Value => g.input(`pairs/${name}`, "int64", [count, "T"]);
  const inputs = { ids_BT: input("ids"), mask_BT: input("mask"), types_BT: input("types") };
  return headOf(family, config)!.logits(g, config, family.hidden(g, config, inputs), inputs);
}

/** A cross-encoder over lists; without scores the first document's label is 1 and the others' 0. */
export function pairProgram(
  source: BertSource,
  config: EncoderConfig,
  { lists = [] }: Examples,
  options: SessionOptions,
): Program {
  const { documents: n, documentTokens: maxLength } = config;
  const { loss } = config.objective as Extract<Objective, { kind: "pairs" }>;
  return simpleProgram(
    {
      isNew: isHead,
      save: (folder, { tensors: parameters }) =>
        saveCrossEncoder(folder, {
          config: source.config,
          tokenizer: source.tokenizer,
          parameters,
          activation: `torch.nn.modules.${loss === "regression" ? "linear.Identity" : "activation.Sigmoid"}`,
        }),
      build: (training) =>
        lossGraphOf((g) => {
          const logits_Bn = reshape(pairLogits(g, source, product([n, "B"])), ["B", n]);
          return pairLosses[loss](logits_Bn, g.input("labels", "float32", ["B", n]));
        }, training),
      feeds(examples) {
        const taken = examples.map((i) => lists[i]!);
        const pairs = taken.flatMap((one) => one.documents.slice(0, n).map((text) => [one.query, text] as const));
        const { ids, typeIds } = source.tokenizer.encodeBatch(pairs, { maxLength, padding: "none" });
        const labels = taken.flatMap((one) => (one.scores ?? one.documents.map((_, i) => Number(i === 0))).slice(0, n));
        return {
          ...rowFeeds("pairs", { ids, types: typeIds }, source),
          labels: float32(labels, [taken.length, n]),
        };
      },
    },
    options,
  );
}

/** The head's own loss over rows. */
function headProgram(
  source: Source,
  {
    options,
    gathered,
    feeds,
  }: {
    options: SessionOptions;
    gathered: boolean;
    feeds(examples: readonly number[]): { ids: readonly number[][]; labels: Tensors; counted: number };
  },
): Program {
  const { family, config, tokenizer } = source;
  const files = new Map(tokenizer.files()).set("config.json", `${JSON.stringify(config, null, 2)}\n`);
  return simpleProgram(
    {
      isNew: isHead,
      save: (folder, parameters) => saveModel(folder, parameters, files),
      build: (training) => lossGraph(family, config, { masked: true, gathered, training, gradients: training }),
      feeds(examples) {
        const { ids, labels, counted } = feeds(examples);
        const { tensors } = makeBatch({ ids }, config);
        return { ...tensors, ...labels, scale: float32([1 / Math.max(1, counted)], []) };
      },
    },
    options,
  );
}

/** Classes of texts: one each, or any number. */
export function classProgram(
  source: Source,
  config: EncoderConfig,
  { labelled }: Examples,
  labels: readonly string[],
  options: SessionOptions,
): Program {
  const { multiLabel, examples: texts } = labelled!;
  const { tokenizer } = source;
  const classesOf = (taken: readonly Labelled[]): Tensors[string] =>
    multiLabel
      ? float32(
          taken.flatMap((one) => labels.map((label) => Number(one.labels.includes(label)))),
          [taken.length, labels.length],
        )
      : int64List(taken.map((one) => labels.indexOf(one.labels[0]!)));
  return headProgram(source, {
    options,
    gathered: false,
    feeds(examples) {
      const taken = examples.map((i) => texts[i]!);
      return {
        ids: taken.map(({ text }) => encodeCut(tokenizer, text, config.documentTokens)),
        labels: { labels: classesOf(taken) },
        counted: taken.length * (multiLabel ? labels.length : 1),
      };
    },
  });
}

/** Tags of words: the first piece of each has the label, the others none. */
export function tagProgram(
  source: Source,
  config: EncoderConfig,
  { tagged = [] }: Examples,
  labels: readonly string[],
  options: SessionOptions,
): Program {
  return headProgram(source, {
    options,
    gathered: true,
    feeds(examples) {
      const taken = examples.map((i) => tagged[i]!);
      const rows = taken.map(({ tokens }) => firstPieces(source.tokenizer, tokens, config.documentTokens));
      const width = Math.max(...rows.map(({ ids }) => ids.length));
      const at = rows.flatMap(({ first }, row) => first.map((place) => row * width + place));
      const classes = rows.flatMap(({ first }, row) => first.map((_, word) => labels.indexOf(taken[row]!.tags[word]!)));
      return {
        ids: rows.map(({ ids }) => ids),
        labels: { at: int64List(at), labels: int64List(classes) },
        counted: at.length,
      };
    },
  });
}
