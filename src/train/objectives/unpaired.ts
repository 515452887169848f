/**
 * Preferences from answers that were judged one by one (KTO: Ethayarajh et al. 2024, arXiv:2402.01306), as TRL 1.16's
 * KTOTrainer. What an answer has to gain is measured against KL(π ‖ π_ref), which is estimated from answers of other
 * prompts: an example's is that of the example before it, so that the reference's share is computed once. The estimate
 * is a micro-batch's: `rowsAtOnce` saves memory without changing it, accumulation changes it.
 */
// B completions
import * as z from "zod";
import { readJudged, readPreferences } from "../../corpus/conversations.ts";
import { DataError } from "../../errors.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { sub, sumAll } from "../../graph/ops/index.ts";
import { inParts } from "../../io/streams.ts";
import { judgedLoss } from "../../nn/preference-losses.ts";
import { Owned } from "../../runtime/owned.ts";
import type { Session, Tensors } from "../../runtime/session.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Completion } from "../../tokenizers/turns.ts";
import { answered, answerSettings, type AnswerSource, type LaidOut, laidOut, openAnswers, writing } from "./answers.ts";
import { addTo } from "./cached-gradients.ts";
import { type Branching, completionFeeds, completionScores, tokensOf } from "./completions.ts";
import type { Batch, Compiler, Context, Figures, Inputs, LossProgram, Objective } from "./objective.ts";
import { referenceScores } from "./reference.ts";
import { exampleSets, float32, readSplits, type Splits } from "./texts.ts";

export const unpairedSettings = z.strictObject({
  kind: z.literal("unpaired"),
  beta: z.number().positive().describe("How the model is kept near its start: the less, the further it may go"),
  desirableWeight: z.number().min(0).describe("What the loss of a desirable answer is times"),
  undesirableWeight: z.number().min(0).describe("What the loss of an undesirable answer is times"),
  rowsAtOnce: z.int().min(0).describe("Answers of a batch that are computed together; 0: all"),
  ...answerSettings,
});

type Settings = z.infer<typeof unpairedSettings>;
type Still = AnswerSource["still"];

interface Judgement {
  readonly row: Branching;
  /** The prompt with the answer to another. */
  readonly other: Branching;
  /** The reference's log-probabilities of both. */
  readonly reference: number;
  readonly otherReference: number;
  readonly label: boolean;
}

interface JudgedBatch extends Batch {
  readonly examples: readonly Judgement[];
}

const figures = ["rewards/chosen", "rewards/rejected", "kl", "logps/chosen", "logps/rejected"] as const;

/** @throws DataError where examples are fewer than two, or none is left. */
export async function openUnpaired(settings: Settings, inputs: Inputs, context: Context): Promise<Objective> {
  const source = await openAnswers(inputs, settings, context);
  const { chat, still, maxTokens } = source;
  const found = await readSplits(inputs, readJudgements);
  const rows = laidOut(found, ({ exchange, where }) => [answered(chat, exchange, where)], maxTokens, context);
  const splits = await judgements(source, rows, context);
  const loss = (g: Graph): Value => lossOf(g, still, settings);
  return {
    start: still,
    ...exampleSets<Judgement, JudgedBatch>(
      splits,
      ({ row }) => tokensOf(row),
      // What a graph is fed with is made where it is known which rows are computed together.
      (examples) => ({
        feeds: {},
        count: examples.length,
        work: examples.reduce((sum, { row }) => sum + tokensOf(row), 0),
        examples,
      }),
    ),
    order: "random",
    sizesAreTokens: true,
    reduction: "sum",
    unit: "tokens",
    figures,
    loss,
    program: (compiler) => judgedProgram(compiler, still, { ...settings, loss }) as LossProgram,
    ...(await writing(source, rows, context)),
    async [Symbol.asyncDispose]() {},
  };
}

interface Judged {
  readonly exchange: Completion;
  readonly label: boolean;
  readonly where: string;
}

/** Judged answers; or pairs, of which all that were chosen come first, then all that were not, as TRL has it. */
async function readJudgements(path: string): Promise<readonly Judged[]> {
  try {
    return await readJudged(path);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const pairs = await readPreferences(path).catch(() => {
      throw error;
    });
    const one =
      (which: "chosen" | "rejected") =>
      ({ where, ...pair }: (typeof pairs)[number]): Judged => ({
        exchange: pair[which],
        label: which === "chosen",
        where,
      });
    return [...pairs.map(one("chosen")), ...pairs.map(one("rejected"))];
  }
}

/** Examples with another's answer beside their own, and what the reference makes of both. */
async function judgements(
  { still, maxTokens }: AnswerSource,
  { train, valid }: Splits<LaidOut<Judged>>,
  context: Context,
): Promise<Splits<Judgement>> {
  const lists = [train, valid ?? []];
  const own = lists.map((list) => list.map(({ row }) => row));
  const others = own.map((rows) => rows.map((row, i) => withOther(row, rows.at(i - 1)!, maxTokens)));
  const scores = await referenceScores(still, [...own, ...others], context);
  const [ofTrain, ofValid] = lists.map((list, k) =>
    list.map(({ example, row }, i) => ({
      row,
      other: others[k]![i]!,
      reference: scores[k]![i]![0]!,
      otherReference: scores[k + 2]![i]![0]!,
      label: example.label,
    })),
  ) as [Judgement[], Judgement[]];
  if (ofTrain.length < 2) throw new DataError(`${train[0]!.example.where}: expected two examples or more, got one`);
  return { train: ofTrain, valid: valid && ofValid };
}

/** The prompt of one with the answer of the other, within so many tokens. */
function withOther({ prompt }: Branching, { branches: [branch] }: Branching, maxTokens: number): Branching {
  const room = maxTokens - prompt.length;
  const scored = branch!.scored.slice(0, room).map((own, t) => own && prompt.length + t > 0);
  return { prompt, branches: [{ ids: branch!.ids.slice(0, room), scored }] };
}

/** Inputs besides `completionScores`'s: `reference`, `signs` and `weights` [B] and the scalar `divergence`, float32. */
function lossOf(g: Graph, source: Still, { beta }: Pick<Settings, "beta">): Value {
  const { scores_C: scores_B } = completionScores(g, source, "C");
  g.output("scores", scores_B);
  const [reference_B, signs_B, weights_B] = ["reference", "signs", "weights"].map((name) =>
    g.input(name, "float32", ["C"]),
  ) as [Value, Value, Value];
  const ratios_B = sub(scores_B, reference_B);
  const divergence = g.input("divergence", "float32", []);
  return sumAll(judgedLoss({ ratios_B, divergence, signs_B, weights_B, beta }));
}

type ProgramSettings = Omit<Settings, "kind"> & { loss(g: Graph): Value };

/** The divergence first, of all rows and without gradients, then the loss against it. */
function judgedProgram(
  compiler: Compiler,
  source: Still,
  { rowsAtOnce, loss, beta, desirableWeight, undesirableWeight }: ProgramSettings,
): LossProgram<JudgedBatch> {
  const training = compiler.lossGraph(loss, true);
  const scoring = (): Graph => {
    const g = compiler.graph(false);
    g.output("scores", completionScores(g, source, "C").scores_C);
    return g;
  };
  const graphs = { training: () => training, evaluation: () => compiler.lossGraph(loss, false), scoring };
  const owned = new Owned();
  const made = new Map<string, Promise<Session>>();
  const session = (name: keyof typeof graphs): Promise<Session> => {
    let known = made.get(name);
    if (known === undefined) {
      known = compiler.session(graphs[name]()).then((one) => owned.use(one));
      made.set(name, known);
    }
    return known;
  };
  const padId = source.config.pad_token_id ?? 0;
  return {
    graph: training,
    async run({ examples }, { weights, scale }, into) {
      const chunks = [...inParts(examples, rowsAtOnce === 0 ? Infinity : rowsAtOnce)];
      let difference = 0;
      const scorer = await session("scoring");
      for (const chunk of chunks) {
        const rows = chunk.map(({ other }) => other);
        const { scores } = await scorer.run({ ...weights, ...completionFeeds(rows, padId) });
        for (const [i, { otherReference }] of chunk.entries()) difference += Number(scores!.data[i]) - otherReference;
      }
      const divergence = Math.max(0, difference / examples.length);
      const runner = await session(into === undefined ? "evaluation" : "training");
      let sum = 0;
      const scores: number[] = [];
      for (const [k, chunk] of chunks.entries()) {
        const rows = chunk.map(({ row }) => row);
        const vector = (of: (one: Judgement) => number): Tensors[string] => float32(chunk.map(of), [chunk.length]);
        const inputs = {
          ...weights,
          ...completionFeeds(rows, padId),
          reference: vector(({ reference }) => reference),
          signs: vector(({ label }) => (label ? 1 : -1)),
          weights: vector(({ label }) => (label ? desirableWeight : undesirableWeight)),
          divergence: float32([divergence], []),
          scale: float32([scale], []),
          seed: tensor("int64", [], BigInt64Array.of(0n)),
        };
        const outputs = await runner.run(inputs, k === 0 ? into : undefined);
        if (k > 0 && into !== undefined) addTo(into, outputs);
        sum += Number(outputs["loss"]!.data[0]);
        scores.push(...(outputs["scores"]!.data as Float32Array));
      }
      return { loss: sum, figures: judgedFigures(examples, scores, { beta, divergence }) };
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function judgedFigures(
  examples: readonly Judgement[],
  scores: readonly number[],
  { beta, divergence }: { readonly beta: number; readonly divergence: number },
): Figures {
  const of = (label: boolean, value: (score: number, reference: number) => number): Figures[string] => {
    const own = examples.flatMap((one, i) => (one.label === label ? [value(scores[i]!, one.reference)] : []));
    return { sum: own.reduce((sum, x) => sum + x, 0), count: own.length };
  };
  const reward = (score: number, reference: number): number => beta * (score - reference);
  return {
    "rewards/chosen": of(true, reward),
    "rewards/rejected": of(false, reward),
    kl: { sum: divergence * examples.length, count: examples.length },
    "logps/chosen": of(true, (score) => score),
    "logps/rejected": of(false, (score) => score),
  };
}
