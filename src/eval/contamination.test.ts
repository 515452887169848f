/** Overlaps of examples with training texts that were planted there. */
import { expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { valueOf } from "../metrics/report.ts";
import { tasks } from "../tasks/index.ts";
import { contaminationFigures, findOverlaps } from "./contamination.ts";

const words = (name: string, count: number, from: number = 0): string =>
  Array.from({ length: count }, (_, i) => `${name}${from + i}`).join(" ");

/** Source and target as they are. */
const plain = { source: ({ text }: { text: string }) => text, target: ({ gold }: { gold: unknown }) => String(gold) };
const exampleOf = (id: string, text: string, gold: string = "yes") => ({ id, text, gold });

async function* streamed(texts: readonly string[]): AsyncGenerator<{ id: string; text: string }> {
  for (const [i, text] of texts.entries()) yield { id: `${i}`, text };
}

test("13 words in a row, or most runs of 8 in several texts, make an example contaminated", async () => {
  const examples = [
    exampleOf("whole", words("a", 20)),
    exampleOf("thirteen", words("b", 40)),
    exampleOf("twelve", words("c", 40)),
    exampleOf("pieces", words("d", 27)),
    exampleOf("label", words("e", 10), "one two three"),
    exampleOf("short", "few words"),
    exampleOf("never", words("f", 20)),
  ];
  const texts = [
    words("a", 20).toUpperCase(),
    `x ${words("b", 13, 5)} y`,
    `x ${words("c", 12, 5)} y`,
    // Runs of twelve words that overlap: nearly all of the example's runs of eight, never 13 in a row.
    ...Array.from({ length: 4 }, (_, i) => `x ${words("d", 12, 5 * i)} y`),
    `${words("e", 10)}, one, two, three.`,
    `few words ${words("f", 7)}`,
  ];
  const progress: number[] = [];
  const {
    overlaps: [found],
    texts: about,
  } = await findOverlaps([{ benchmark: plain, examples }], streamed(texts), {
    onProgress: ({ documents }) => progress.push(documents),
  });
  expect(found!.map(({ verdict, longest, words: count }) => [verdict, longest, count])).toEqual([
    ["contaminated", 20, 21],
    ["contaminated", 13, 41],
    ["clean", 12, 41],
    ["contaminated", 12, 28],
    ["contaminated", 13, 13],
    ["short", 0, 3],
    ["clean", 0, 21],
  ]);
  expect(found![1]!.share).toBeCloseTo(6 / 34, 12);
  expect(found![3]!.share).toBeGreaterThanOrEqual(0.8);
  expect(found![4]!.share).toBe(1);
  expect(progress).toEqual([texts.length]);
  expect(about).toMatchObject({ documents: texts.length, characters: texts.join("").length });
});

test("sets are told apart, and PubMedQA counts by question and long answer, not by its abstract", async () => {
  const abstract = words("abstract", 60);
  const question = words("question", 10);
  const example = { id: "1", text: abstract, gold: "yes", question, longAnswer: words("answer", 15) };
  const sets = [
    { benchmark: tasks["pubmedqa"]!, examples: [example] },
    { benchmark: plain, examples: [exampleOf("2", abstract)] },
  ];
  const { overlaps: read } = await findOverlaps(sets, [{ id: "a", title: words("t", 3), text: abstract }]);
  expect(read.map(([one]) => one!.verdict)).toEqual(["clean", "contaminated"]);
  const { overlaps: asked } = await findOverlaps(sets, [{ id: "a", text: `${question} ${words("answer", 3)}` }]);
  expect(asked.map(([one]) => one!.verdict)).toEqual(["contaminated", "clean"]);
});

test("figures of the parts are those of the examples alone", async () => {
  const examples = Array.from({ length: 40 }, (_, i) => ({
    id: `${i}`,
    text: "",
    gold: i % 2 ? "yes" : "no",
    question: words(`q${i}x`, i === 0 ? 2 : 14),
    longAnswer: "",
  }));
  const pubmedqa = tasks["pubmedqa"]!;
  // Right of those that were seen, and of half of the others.
  const answers = examples.map(({ gold }, i) => (i % 4 === 1 || i % 8 < 4 ? gold : "maybe"));
  const texts = examples.filter((_, i) => i % 4 === 1).map(({ question }) => question);
  const { overlaps } = await findOverlaps([{ benchmark: pubmedqa, examples }], streamed(texts));
  const figures = contaminationFigures(pubmedqa, { examples, answers }, overlaps[0]!, { bootstrap: { seed: 1 } });
  const value = (name: string): number => valueOf({ figures }, name);
  expect([value("contaminated_examples"), value("clean_examples"), value("short_examples")]).toEqual([10, 29, 1]);
  expect(value("contaminated_accuracy")).toBe(1);
  expect(value("clean_accuracy")).toBeCloseTo(14 / 29, 12);
  const difference = figures.find(({ name }) => name === "contaminated_less_clean")!;
  expect(difference.value).toBeCloseTo(1 - 14 / 29, 12);
  expect(difference.interval!.low).toBeGreaterThan(0);
  expect(figures.every(({ kind, unit, interval }) => kind === "detail" && (unit === "count") !== !!interval)).toBe(
    true,
  );
});

test("where nothing was seen there is no figure of it; no texts at all are refused", async () => {
  const examples = [exampleOf("1", words("a", 20))];
  const toy = { ...tasks["pubmedqa"]!, ...plain };
  const { overlaps } = await findOverlaps([{ benchmark: plain, examples }], streamed(["other"]));
  const names = contaminationFigures(toy, { examples, answers: ["yes"] }, overlaps[0]!).map(({ name }) => name);
  expect(names).toEqual(["clean_examples", "clean_accuracy", "contaminated_examples"]);
  await expect(findOverlaps([{ benchmark: plain, examples }], streamed([]))).rejects.toThrow(ConfigError);
  expect(() => contaminationFigures(toy, { examples, answers: ["yes"] }, [])).toThrow(/overlaps: expected 1 pred/);
  const stopped = findOverlaps([{ benchmark: plain, examples }], streamed(["a"]), { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toThrow(/aborted/);
});
