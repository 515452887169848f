/**
 * Principal components, as sklearn's PCA gives them but for the sign, by Jacobi's rotations of the covariance matrix
 * (Golub and Van Loan, Matrix Computations, §8.5): exact, and seconds for a thousand dimensions.
 */
import { DataError } from "../../errors.ts";

/** Rows of unit length, the directions of largest variance first: [count, width], row-major. */
export function principalComponents(vectors: readonly Float32Array[], count: number): Float32Array {
  const width = vectors[0]?.length ?? 0;
  if (vectors.length <= count || width < count) {
    throw new DataError(
      `principal components: expected more than ${count} vectors at least as wide, got ${vectors.length} of ${width}`,
    );
  }
  const matrix = covariance(vectors, width);
  const basis = Array.from({ length: width }, (_, i) => Float64Array.from({ length: width }, (_, j) => +(i === j)));
  let size = 0;
  for (const row of matrix) for (const value of row) size += value * value;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < width; p++) for (let q = p + 1; q < width; q++) off += matrix[p]![q]! ** 2;
    if (off <= 1e-18 * size) break;
    for (let p = 0; p < width; p++) for (let q = p + 1; q < width; q++) rotate(matrix, basis, p, q);
  }
  const order = Array.from({ length: width }, (_, i) => i).sort((a, b) => matrix[b]![b]! - matrix[a]![a]!);
  const result = new Float32Array(count * width);
  for (let i = 0; i < count; i++) result.set(basis[order[i]!]!, i * width);
  return result;
}

function covariance(vectors: readonly Float32Array[], width: number): Float64Array[] {
  const mean = new Float64Array(width);
  for (const vector of vectors) for (let i = 0; i < width; i++) mean[i]! += vector[i]! / vectors.length;
  const matrix = Array.from({ length: width }, () => new Float64Array(width));
  const centred = new Float64Array(width);
  for (const vector of vectors) {
    for (let i = 0; i < width; i++) centred[i] = vector[i]! - mean[i]!;
    for (let i = 0; i < width; i++) {
      const [row, x] = [matrix[i]!, centred[i]!];
      for (let j = 0; j < width; j++) row[j]! += x * centred[j]!;
    }
  }
  return matrix;
}

/** Makes matrix[p][q] zero; rows of `basis` turn along. The matrix stays symmetric, so its columns are its rows. */
function rotate(matrix: readonly Float64Array[], basis: readonly Float64Array[], p: number, q: number): void {
  const [rowP, rowQ] = [matrix[p]!, matrix[q]!];
  const off = rowP[q]!;
  if (off === 0) return;
  const theta = (rowQ[q]! - rowP[p]!) / (2 * off);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  const turn = (x: Float64Array, y: Float64Array): void => {
    for (let i = 0; i < x.length; i++) {
      const [a, b] = [x[i]!, y[i]!];
      x[i] = c * a - s * b;
      y[i] = s * a + c * b;
    }
  };
  const [a, b] = [rowP[p]! - t * off, rowQ[q]! + t * off];
  turn(rowP, rowQ);
  turn(basis[p]!, basis[q]!);
  for (let i = 0; i < rowP.length; i++) {
    matrix[i]![p] = rowP[i]!;
    matrix[i]![q] = rowQ[i]!;
  }
  rowP[p] = a;
  rowQ[q] = b;
  rowP[q] = 0;
  rowQ[p] = 0;
}
