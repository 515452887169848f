/**
 * The ways in which a benchmark can be asked of a model: those that the benchmark provides for and the model is able to.
 * Each says what a window of examples is asked, and what a reply means.
 */
import { ConfigError } from "../errors.ts";
import { majority } from "../metrics/classification.ts";
import { type Benchmark, type Example, namedIn, paragraph, type Prompt } from "../tasks/benchmark.ts";
import type { Abilities, AbilityOptions } from "./abilities.ts";

/** Of the ability that each needs. */
const abilityOf = {
  generation: "generate",
  likelihood: "logLikelihoods",
  classes: "classify",
  tags: "tag",
  similarity: "pairs",
} as const satisfies Record<string, keyof Abilities>;

export type WayName = keyof typeof abilityOf;

export interface Way<E, Answer> {
  /** What is asked besides the source, for the fingerprint of the data. */
  texts(example: E): readonly string[];
  /** One reply an example, each a JSON value. */
  ask(examples: readonly E[], options: AbilityOptions): Promise<readonly unknown[]>;
  answer(example: E, reply: unknown): Answer;
}

/** Only the two functions know the type of replies. */
function way<E, Answer, Reply>(
  ask: (examples: readonly E[], options: AbilityOptions) => Promise<readonly Reply[]>,
  answer: (example: E, reply: Reply) => Answer,
  texts: (example: E) => readonly string[] = () => [],
): Way<E, Answer> {
  return { texts, ask, answer: (example, reply) => answer(example, reply as Reply) };
}

/** Self-consistency (Wang et al. 2022): of several answers the commonest, the first of equally common ones. */
function commonestOf<Answer>(answers: readonly Answer[]): Answer {
  const keys = answers.map((one) => JSON.stringify(one));
  return answers[keys.indexOf(majority(keys)!)]!;
}

function waysOf<E extends Example, Answer>(
  benchmark: Benchmark<E, Answer>,
  model: Abilities,
): Partial<Record<WayName, Way<E, Answer>>> {
  const { answerForm, choices, labels, tags } = benchmark;
  const textsOf = (one: E): readonly string[] => (choices?.texts ?? choices!.of)(one);
  const promptOf = (one: E): Prompt =>
    (model.converses === true ? benchmark.turns?.(one) : undefined) ?? benchmark.source(one);
  const plainOf = (example: E): string => benchmark.plain?.(example) ?? benchmark.source(example);
  const plainTexts = (example: E): string[] => (benchmark.plain === undefined ? [] : [benchmark.plain(example)]);
  return {
    generation: way(
      (examples, options) =>
        model.generate!(examples.map(promptOf), {
          ...options,
          writing: benchmark.writing ?? paragraph,
          naming: answerForm && { form: answerForm, texts: examples.map((one) => namedIn(benchmark, one)) },
        }),
      (example, { text, texts = [text] }) => commonestOf(texts.map((one) => benchmark.parse(one, example))),
    ),
    ...(choices && {
      likelihood: way(
        (examples, options) => model.logLikelihoods!(examples.map(promptOf), examples.map(choices.of), options),
        choices.answer,
        choices.of,
      ),
      similarity: way(
        async (examples) => {
          const all = examples.map((one) => textsOf(one));
          const pairs = examples.flatMap((one, i) => all[i]!.map((text) => [plainOf(one), text] as const));
          const scores = Array.from(await model.pairs!(pairs));
          let at = 0;
          return all.map(({ length }) => scores.slice(at, (at += length)));
        },
        choices.answer,
        (example) => [...textsOf(example), ...plainTexts(example)],
      ),
    }),
    ...(labels && {
      classes: way(
        (examples) => model.classify!(examples.map(plainOf)),
        (_, found) => labels.answer(found.labels, found.label),
        plainTexts,
      ),
    }),
    ...(tags && { tags: way((examples) => model.tag!(examples.map(tags.words)), tags.answer, tags.words) }),
  };
}

/** The way that is wanted, else the one that the model prefers, else the first there is; undefined where there is none. */
function chosen(ways: Partial<Record<WayName, unknown>>, model: Abilities, wanted?: WayName): WayName | undefined {
  const names = Object.keys(abilityOf) as WayName[];
  const possible = names.filter((name) => ways[name] !== undefined && model[abilityOf[name]] !== undefined);
  if (wanted !== undefined) return possible.find((name) => name === wanted);
  return possible.find((name) => name === model.prefers) ?? possible[0];
}

/** Whether the benchmark can be asked of the model. */
export function isAskable<E extends Example, Answer>(
  benchmark: Benchmark<E, Answer>,
  model: Abilities,
  wanted?: WayName,
): boolean {
  return chosen(waysOf(benchmark, model), model, wanted) !== undefined;
}

/** How the benchmark is asked of the model. @throws ConfigError where it cannot be. */
export function wayOf<E extends Example, Answer>(
  benchmark: Benchmark<E, Answer>,
  model: Abilities,
  wanted?: WayName,
): { readonly name: WayName; readonly way: Way<E, Answer> } {
  const ways = waysOf(benchmark, model);
  const name = chosen(ways, model, wanted);
  if (name !== undefined) return { name, way: ways[name]! };
  const able = (Object.keys(abilityOf) as WayName[]).filter((one) => model[abilityOf[one]] !== undefined);
  throw new ConfigError(
    `${benchmark.name}: expected a model to be asked by ${wanted ?? "one of the benchmark's ways"}, ` +
      `got one for ${able.join(", ") || "nothing of this kind"}`,
    { hint: model.unable ?? `the benchmark's ways are ${Object.keys(ways).join(", ")}` },
  );
}
