/**
 * A benchmark with a description and examples with their answers before each question, as lm-evaluation-harness composes
 * them (lm_eval 0.4.13, api/task.py `fewshot_context`, api/samplers.py): an example is its source and its target, an empty
 * line follows it. In a conversation the description is the system's turn, and an example is a turn of the user and one
 * of the model (`fewshot_as_multiturn`), or all stand in the question's turn.
 */
import { ConfigError, DataError } from "../errors.ts";
import { required } from "../schema.ts";
import { type Benchmark, type Example, namedIn, type Split, type Turn } from "../tasks/benchmark.ts";
import { pythonRandom } from "../tensor/python-random.ts";

export interface ShotOptions {
  /** How many; 0: the description alone. */
  readonly shots: number;
  /** Folder of the benchmark's data, of whose training examples they are. */
  readonly data: string;
  /** Of the draws. Default 1234, the harness's. */
  readonly seed?: number | undefined;
  /** In conversations: turns of their own, or within the question's. Absent: there is no conversation. */
  readonly as?: "turns" | "text" | undefined;
}

interface Shot {
  readonly source: string;
  readonly target: string;
}

/** What stands before the question, the description aside. */
export interface Preceded {
  readonly before: readonly Shot[];
}

/** The harness draws anew for every question, from one generator in the order of the questions. */
function drawing<E extends Example>(
  pool: readonly E[],
  { shots, seed, first }: { readonly shots: number; readonly seed: number; readonly first: boolean },
): (example: E | undefined) => readonly E[] {
  const draws = pythonRandom(seed);
  /** `asked`: the question, where it may be among them itself. */
  return (asked) => {
    const others = (some: readonly E[]): E[] => some.filter(({ id }) => id !== asked?.id).slice(0, shots);
    if (first) return others(pool);
    const more = asked === undefined ? shots : Math.min(shots + 1, pool.length);
    return others(draws.sample(pool.length, more).map((place) => pool[place]!));
  };
}

/**
 * The benchmark with shots. Which ones a question gets depends on its place among the questions of its split; a user's own
 * text gets those of the first.
 * @throws DataError where the training examples are missing, or too few.
 */
export async function withShots<E extends Example, Answer>(
  benchmark: Benchmark<E, Answer>,
  options: ShotOptions,
): Promise<Benchmark<E & Preceded, Answer>> {
  required("withShots: benchmark", benchmark, "object");
  required("withShots: options", options, "object");
  const { shots, data, seed = 1234, as } = options;
  if (!Number.isInteger(shots) || shots < 0) {
    throw new ConfigError(`withShots: shots: expected a whole number from 0, got ${shots}`);
  }
  required("withShots: data", data, "text");
  const { description = "", first = false } = benchmark.shots ?? {};
  const pool = shots === 0 ? [] : await benchmark.read(data, "train");
  if (pool.length < shots) {
    throw new DataError(`${data}: expected ${shots} training examples for shots, got ${pool.length}`);
  }
  const written = new Map(
    pool.map((one): [E, Shot] => [one, { source: benchmark.source(one), target: benchmark.target(one) }]),
  );
  const drawer = (): ((asked: E | undefined) => readonly Shot[]) => {
    const draw = drawing(pool, { shots, seed, first });
    return (asked) => draw(asked).map((one) => written.get(one)!);
  };
  const withText = ({ before }: Preceded, source: string): string =>
    `${before.map((one) => `${one.source}${one.target}\n\n`).join("")}${source}`;
  return {
    ...benchmark,
    settings: {
      ...benchmark.settings,
      shots,
      ...(shots > 0 && !first ? { shotSeed: seed } : {}),
      ...(shots > 0 && as !== undefined ? { shotsAs: as } : {}),
    },
    async read(folder, split: Split, more) {
      const draw = drawer();
      const examples = await benchmark.read(folder, split, more);
      return examples.map((one) => ({ ...one, before: draw(split === "train" ? one : undefined) }));
    },
    exampleOf: (id, text) => ({ ...benchmark.exampleOf(id, text), before: drawer()(undefined) }),
    named: (example) => namedIn(benchmark, example),
    source: (example) => `${description}${withText(example, benchmark.source(example))}`,
    ...(as && {
      turns(example) {
        const source = benchmark.source(example);
        const system: Turn[] = description === "" ? [] : [{ role: "system", content: description }];
        if (as === "text") return [...system, { role: "user", content: withText(example, source) }];
        const before = example.before.flatMap((one): Turn[] => [
          { role: "user", content: one.source },
          // What separates an answer from its question in a text has no place at the beginning of a turn.
          { role: "assistant", content: one.target.trimStart() },
        ]);
        return [...system, ...before, { role: "user", content: source }];
      },
    }),
  };
}
