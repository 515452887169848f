/** How vectors are compared: the functions that Sentence Transformers directories name. Larger is more alike. */
import { ConfigError } from "../errors.ts";

/** `norms` is the product of both lengths. */
export type Similarity = (a: Float32Array, b: Float32Array, norms: number) => number;

export const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
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
