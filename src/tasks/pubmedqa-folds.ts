/**
 * PubMedQA's splits as its authors' script makes them of ori_pqal.json (pubmedqa 9b38747, preprocess/split_dataset.py, a
 * generator seeded with 0): half of the articles of each answer for the test, the rest in ten folds, of which the first is
 * for validation. The test articles come out in the order of test_ground_truth.json.
 */
import { type PythonRandom, pythonRandom } from "../tensor/python-random.ts";
import type { Example, Split } from "./benchmark.ts";

const answers = ["yes", "no", "maybe"];

/** So many parts with about the same answers each. */
function parted<E extends Example<string>>(examples: readonly E[], count: number, draws: PythonRandom): E[][] {
  const groups = answers.map((answer) => draws.shuffle(examples.filter(({ gold }) => gold === answer)));
  const parts = Array.from({ length: count }, (_, i) =>
    groups.flatMap((group) => {
      const size = Math.ceil(group.length / count);
      return group.slice(i * size, i === count - 1 ? undefined : (i + 1) * size);
    }),
  );
  const last = parts[count - 1]!;
  // The last is short where groups do not divide evenly: each of the others gives it one.
  if (last.length !== parts[0]!.length) {
    for (const part of parts.slice(0, -1)) last.push(...part.splice(draws.choice(part.length), 1));
  }
  return parts;
}

export function foldsOf<E extends Example<string>>(examples: readonly E[]): Record<Split, E[]> {
  const draws = pythonRandom(0);
  const [rest, test] = parted(examples, 2, draws) as [E[], E[]];
  const [valid, ...train] = parted(rest, 10, draws) as [E[], ...E[][]];
  return { train: train.flat(), valid, test };
}
