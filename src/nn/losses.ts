/**
 * Losses of embedding models, cross-encoders and late interaction, as Sentence Transformers 5.3 and PyLate 1.6 compute
 * them, over values of a graph. Documents come query by query: document j belongs to query ⌊j / n⌋. Each gives a scalar
 * (a mean over the batch). Left out: hardness weights and directions of the ranking loss, LambdaLoss's weightings.
 */
// B queries, n documents of each, N = B·n, D width, Q and S tokens of a query and a document, K width of a token
import { ShapeError } from "../errors.ts";
import type { Value } from "../graph/graph.ts";
import {
  add,
  binaryCrossEntropy,
  cast,
  crossEntropy,
  div,
  exp,
  l2Normalize,
  less,
  logSoftmax,
  matMul,
  mul,
  neg,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  scale,
  shift,
  slice,
  softmax,
  sub,
  sumAll,
} from "../graph/ops/index.ts";

/** Mean of everything, a scalar. */
function meanAll(x: Value): Value {
  return reduceMean(x, [...x.shape.keys()], { keepDims: false });
}

const square = (x: Value): Value => mul(x, x);

/** Dot products of each query with its own documents: [B, n]. */
export function ownScores(query_BD: Value, documents_ND: Value, n: number): Value {
  const [batch, width] = query_BD.shape;
  const documents_BnD = reshape(documents_ND, [batch!, n, width!]);
  const scores_Bn1 = matMul(documents_BnD, reshape(query_BD, [batch!, width!, 1]));
  return reshape(scores_Bn1, [batch!, n]);
}

/**
 * Multiple-negatives ranking (Henderson et al. 2017, arXiv:1705.00652): cross-entropy of scaled cosines with all
 * documents of the batch, the right one's column in `positives_B`.
 */
export function rankingLoss(query_BD: Value, documents_ND: Value, positives_B: Value, factor = 20): Value {
  const scores_BN = matMul(l2Normalize(query_BD), l2Normalize(documents_ND), { transB: true, alpha: factor });
  return meanAll(crossEntropy(scores_BN, positives_B));
}

/** Mean squared difference of all elements: distillation of vectors, and regression. */
export function squaredLoss(x: Value, target: Value): Value {
  return meanAll(square(sub(x, target)));
}

/** 1 − cosine of each row with the teacher's, on average. */
export function cosineLoss(student_BD: Value, teacher_BD: Value): Value {
  const products_BD = mul(l2Normalize(student_BD), l2Normalize(teacher_BD));
  return shift(neg(meanAll(reduceSum(products_BD, [1]))), 1);
}

/**
 * MarginMSE (Hofstätter et al. 2020, arXiv:2010.02666): squared difference of score margins, the first document's less
 * each other's.
 */
export function marginLoss(scores_Bn: Value, teacher_Bn: Value): Value {
  const margins = (x: Value): Value => sub(slice(x, 1, 0, 1), slice(x, 1, 1, x.shape[1] as number));
  return squaredLoss(margins(scores_Bn), margins(teacher_Bn));
}

export interface Temperatures {
  readonly student: number;
  readonly teacher: number;
}

/** KL(softmax(teacher / T) ‖ softmax(scores / T′)) · T′², summed over documents, on average over queries. */
export function divergenceLoss(
  scores_Bn: Value,
  teacher_Bn: Value,
  { student, teacher }: Temperatures = { student: 1, teacher: 1 },
): Value {
  const own_Bn = logSoftmax(scale(scores_Bn, 1 / student));
  const wanted_Bn = logSoftmax(scale(teacher_Bn, 1 / teacher));
  const terms_Bn = mul(exp(wanted_Bn), sub(wanted_Bn, own_Bn));
  return scale(meanAll(reduceSum(terms_Bn, [1])), student * student);
}

/** Scores of each query stretched to [0, 1], as PyLate does before the divergence. */
export function stretched(scores_Bn: Value): Value {
  const high_B1 = reduceMax(scores_Bn, [1]);
  const low_B1 = neg(reduceMax(neg(scores_Bn), [1]));
  return div(sub(scores_Bn, low_B1), shift(sub(high_B1, low_B1), 1e-8));
}

/**
 * Matryoshka (Kusupati et al. 2022, arXiv:2205.13147): the sum of a loss over the first `dims` numbers of the vectors,
 * brought to unit length, each with its weight (default 1).
 */
export function matryoshka(
  vectors: readonly Value[],
  dims: readonly number[],
  loss: (vectors: readonly Value[]) => Value,
  weights: readonly number[] = dims.map(() => 1),
): Value {
  const [first, ...rest] = dims.map((width, i) => {
    const cut = vectors.map((x) => l2Normalize(slice(x, x.shape.length - 1, 0, width)));
    return scale(loss(cut), weights[i]!);
  });
  if (first === undefined) throw new ShapeError("matryoshka: expected at least one width, got none");
  return rest.reduce((sum, term) => add(sum, term), first);
}

/** Binary cross-entropy of σ(logits), on average over all. */
export function binaryLoss(logits: Value, labels: Value): Value {
  return meanAll(binaryCrossEntropy(logits, labels));
}

/**
 * RankNet (Burges et al. 2005): −log₂ σ(sᵢ − sⱼ), on average over all pairs of a query's documents of which i has the
 * larger label.
 */
export function rankNetLoss(logits_Bn: Value, labels_Bn: Value): Value {
  const [batch, n] = logits_Bn.shape;
  const [down, across] = [
    [batch!, n!, 1],
    [batch!, 1, n!],
  ];
  const apart_Bnn = sub(reshape(logits_Bn, down), reshape(logits_Bn, across));
  const better_Bnn = cast(less(reshape(labels_Bn, across), reshape(labels_Bn, down)), logits_Bn.dtype);
  const one = logits_Bn.graph.scalar(1, logits_Bn.dtype);
  const losses_Bnn = mul(binaryCrossEntropy(apart_Bnn, one), better_Bnn);
  return scale(div(sumAll(losses_Bnn), shift(sumAll(better_Bnn), 1e-9)), 1 / Math.LN2);
}

/** ListNet (Cao et al. 2007): cross-entropy of softmax(logits) with softmax(labels), on average over queries. */
export function listNetLoss(logits_Bn: Value, labels_Bn: Value): Value {
  return neg(meanAll(reduceSum(mul(softmax(labels_Bn), logSoftmax(logits_Bn)), [1])));
}

/** MaxSim of products [.., Q, S]: masked tokens of documents give 0 (as PyLate), then the largest, then the sum. */
function interaction(products: Value, kept: Value, queryKept: Value | undefined): Value {
  const { length } = products.shape;
  const best = reduceMax(mul(products, kept), [length - 1], { keepDims: false });
  return reduceSum(queryKept === undefined ? best : mul(best, queryKept), [length - 2], { keepDims: false });
}

export interface LateVectors {
  /** Unit vectors [B, Q, K] and [N, S, K]. */
  readonly query: Value;
  readonly documents: Value;
  /** Of the vectors' dtype, 1 for tokens that count: [N, S] and, where queries are not expanded, [B, Q]. */
  readonly kept: Value;
  readonly queryKept?: Value | undefined;
}

/** MaxSim of every query with every document: [B, N]. */
export function allInteractions({ query, documents, kept, queryKept }: LateVectors): Value {
  const [batch, q, width] = query.shape;
  const [count, s] = documents.shape;
  const products_BNQS = matMul(reshape(query, [batch!, 1, q!, width!]), reshape(documents, [1, count!, s!, width!]), {
    transB: true,
  });
  const own = queryKept === undefined ? undefined : reshape(queryKept, [batch!, 1, q!]);
  return interaction(products_BNQS, reshape(kept, [1, count!, 1, s!]), own);
}

/** MaxSim of each query with its own n documents: [B, n]. */
export function ownInteractions({ query, documents, kept, queryKept }: LateVectors, n: number): Value {
  const [batch, q, width] = query.shape;
  const s = documents.shape[1]!;
  const products_BnQS = matMul(reshape(query, [batch!, 1, q!, width!]), reshape(documents, [batch!, n, s, width!]), {
    transB: true,
  });
  const own = queryKept === undefined ? undefined : reshape(queryKept, [batch!, 1, q!]);
  return interaction(products_BnQS, reshape(kept, [batch!, n, 1, s]), own);
}

/** Contrastive loss of scores [B, N] whose right column is `positives_B`. */
export function contrastiveLoss(scores_BN: Value, positives_B: Value, temperature = 1): Value {
  return meanAll(crossEntropy(scale(scores_BN, 1 / temperature), positives_B));
}
