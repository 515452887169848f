/** Pearson's r and Spearman's rho (ties get their average rank), as scipy.stats; NaN where one side is constant. */
import { checkAligned } from "./report.ts";

/** Pearson's product-moment correlation. @throws DataError where lengths differ. */
export function pearson(x: readonly number[], y: readonly number[]): number {
  checkAligned(x, y, "pearson");
  const meanX = x.reduce((sum, value) => sum + value, 0) / x.length;
  const meanY = y.reduce((sum, value) => sum + value, 0) / y.length;
  let [xy, xx, yy] = [0, 0, 0];
  for (const [i, value] of x.entries()) {
    const dx = value - meanX;
    const dy = (y[i] ?? Number.NaN) - meanY;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? Number.NaN : xy / (Math.sqrt(xx) * Math.sqrt(yy));
}

/** Ranks from 1; equal values share the mean of their ranks. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const result = Array.from({ length: values.length }, () => 0);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && order[end]?.value === order[start]?.value) end++;
    for (const { index } of order.slice(start, end)) result[index] = (start + 1 + end) / 2;
    start = Math.max(end, start + 1);
  }
  return result;
}

/** Spearman's rank correlation: Pearson's r of the ranks. */
export function spearman(x: readonly number[], y: readonly number[]): number {
  return pearson(ranks(x), ranks(y));
}
