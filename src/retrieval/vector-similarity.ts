/** How vectors are compared: the functions that Sentence Transformers directories name. Larger is more alike. */
import { ConfigError } from "../errors.ts";

/** `norms` is the product of both lengths. */
export type Similarity = (a: Float32Array, b: Float32Array, norms: number) => number;

/** Four sums at once: one alone waits for each addition, and is half as fast. */
export const dot = (a: Float32Array, b: Float32Array): number => {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (const end = a.length - 3; i < end; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + s2 + s3;
};

export const norm = (a: Float32Array): number => Math.sqrt(dot(a, a));

/** The same direction, of length 1; a vector of zeros stays one. */
export function unit(a: Float32Array): Float32Array {
  const length = norm(a);
  return length === 0 ? a : a.map((one) => one / length);
}

const distance = (a: Float32Array, b: Float32Array, of: (difference: number) => number): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += of(a[i]! - b[i]!);
  return sum;
};

const similarities: Readonly<Record<string, Similarity>> = {
  cosine: (a, b, norms) => dot(a, b) / Math.max(norms, 1e-12),
  dot,
  euclidean: (a, b) => -Math.sqrt(distance(a, b, (difference) => difference * difference)),
  manhattan: (a, b) => -distance(a, b, Math.abs),
};

/** The function that a directory names; cosine where it names none. @throws ConfigError for another name. */
export function similarityOf(folder: string, name: string | null | undefined): Similarity {
  const wanted = name ?? "cosine";
  if (Object.hasOwn(similarities, wanted)) return similarities[wanted]!;
  const known = Object.keys(similarities).join(", ");
  throw new ConfigError(
    `${folder}/config_sentence_transformers.json: similarity_fn_name: expected one of ${known}, got "${wanted}"`,
  );
}
