/** Area under the ROC curve as the Mann-Whitney statistic (ties count half), and average precision (sklearn). */
import { ranks } from "./correlation.ts";
import { ratio } from "./counts.ts";
import { checkAligned } from "./report.ts";

/** ROC AUC of `scores` for `positive`; NaN where one of the classes is missing. */
export function auc(positive: readonly boolean[], scores: readonly number[]): number {
  checkAligned(positive, scores, "AUC");
  const positives = positive.filter(Boolean).length;
  const negatives = positive.length - positives;
  if (positives === 0 || negatives === 0) return Number.NaN;
  const rank = ranks(scores);
  const rankSum = positive.reduce((sum, isPositive, i) => sum + (isPositive ? (rank[i] ?? 0) : 0), 0);
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Area under the precision-recall curve by steps; equal scores form one step. 0 without positives. */
export function averagePrecision(positive: readonly boolean[], scores: readonly number[]): number {
  checkAligned(positive, scores, "average precision");
  const order = scores.map((score, i) => ({ score, hit: positive[i] === true })).sort((a, b) => b.score - a.score);
  const positives = positive.filter(Boolean).length;
  let [area, hits, seenHits] = [0, 0, 0];
  for (const [i, { score, hit }] of order.entries()) {
    hits += hit ? 1 : 0;
    if (order[i + 1]?.score === score) continue;
    area += ratio(hits - seenHits, positives) * (hits / (i + 1));
    seenHits = hits;
  }
  return area;
}
