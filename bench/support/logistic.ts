/** Logistic regression by Newton's method, with a small penalty on all weights but the constant (the first). */

export interface LabelledFeatures {
  readonly features: readonly number[];
  readonly label: number;
  /** How much it counts; 1 by default. */
  readonly weight?: number;
}

export function fitLogistic(rows: readonly LabelledFeatures[], penalty: number = 1): number[] {
  const width = rows[0]!.features.length;
  let weights = Array.from({ length: width }, () => 0);
  for (let step = 0; step < 30; step++) {
    const gradient = weights.map((one, i) => (i === 0 ? 0 : -penalty * one));
    const hessian = weights.map((_, i) => weights.map((__, j) => (i === j ? (i === 0 ? 1e-9 : penalty) : 0)));
    for (const { features, label, weight = 1 } of rows) {
      const p = 1 / (1 + Math.exp(-features.reduce((sum, x, i) => sum + x * weights[i]!, 0)));
      for (let i = 0; i < width; i++) {
        gradient[i]! += weight * (label - p) * features[i]!;
        for (let j = 0; j < width; j++) hessian[i]![j]! += weight * p * (1 - p) * features[i]! * features[j]!;
      }
    }
    const change = solve(hessian, gradient);
    weights = weights.map((one, i) => one + change[i]!);
    if (Math.max(...change.map(Math.abs)) < 1e-6) break;
  }
  return weights;
}

/** Gaussian elimination with pivots. */
function solve(matrix: number[][], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  for (let i = 0; i < size; i++) {
    const pivot = rows
      .slice(i)
      .reduce((best, row, k) => (Math.abs(row[i]!) > Math.abs(rows[best]![i]!) ? i + k : best), i);
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    for (let k = i + 1; k < size; k++) {
      const factor = rows[k]![i]! / rows[i]![i]!;
      for (let j = i; j <= size; j++) rows[k]![j]! -= factor * rows[i]![j]!;
    }
  }
  const found = Array.from({ length: size }, () => 0);
  for (let i = size - 1; i >= 0; i--) {
    const known = found.reduce((sum, one, j) => sum + (j > i ? rows[i]![j]! * one : 0), 0);
    found[i] = (rows[i]![size]! - known) / rows[i]![i]!;
  }
  return found;
}

/** Softmax regression by gradient descent; the last class's weights are 0. */
export function fitSoftmax(rows: readonly LabelledFeatures[], classes: number, penalty: number = 2): number[][] {
  const width = rows[0]!.features.length;
  const weights = Array.from({ length: classes }, () => Array.from({ length: width }, () => 0));
  for (let step = 0; step < 4000; step++) {
    const gradient = weights.map((own) => own.map((one, i) => (i === 0 ? 0 : -penalty * one)));
    for (const { features, label } of rows) {
      const powers = weights.map((own) => Math.exp(own.reduce((sum, one, i) => sum + one * features[i]!, 0)));
      const sum = powers.reduce((total, one) => total + one, 0);
      for (let c = 0; c < classes - 1; c++) {
        const error = (c === label ? 1 : 0) - powers[c]! / sum;
        for (let i = 0; i < width; i++) gradient[c]![i]! += error * features[i]!;
      }
    }
    for (let c = 0; c < classes - 1; c++)
      for (let i = 0; i < width; i++) weights[c]![i]! += (4 / rows.length) * gradient[c]![i]!;
  }
  return weights;
}
