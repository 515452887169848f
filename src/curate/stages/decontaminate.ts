/**
 * Decontamination: documents that hold a benchmark's test examples are dropped, so that a model's scores count. A document holds
 * one where it has 13 of its words in a row (Brown et al. 2020, app. C), or 80 % of its runs of 8 words (Chen et al. 2023). An
 * example is what the benchmark says makes it (`contaminationText`): of PubMedQA question and long answer, since its contexts are
 * PubMed's abstracts, which every model has read.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import * as z from "zod";
import { wholeText } from "../../corpus/corpus-document.ts";
import { indexNgrams, leastWords } from "../../corpus/ngram-index.ts";
import { ConfigError, GalenError } from "../../errors.ts";
import { contaminationText } from "../../tasks/benchmark.ts";
import { benchmarks } from "../../tasks/index.ts";
import { eachDocument, type MapStage } from "../stage.ts";

const settings = z.strictObject({
  /** Folder of the benchmarks' folders, as "galen evaluate suite --data" takes it. */
  data: z.string(),
  /** Their names; by default all whose folders are there. */
  benchmarks: z.array(z.string()).min(1).optional(),
  /** Words in a row. */
  inARow: z.int().min(leastWords).default(13),
  share: z.number().positive().max(1).default(0.8),
  /** Words of an example below which it tells nothing. */
  shortest: z.int().min(leastWords).default(leastWords),
});
type Settings = z.output<typeof settings>;

interface Examples {
  readonly name: string;
  readonly texts: readonly string[];
}

/** Test examples of the benchmarks that are asked for. @throws ConfigError where one that was named cannot be read. */
export async function readExamples(folder: string, names: readonly string[] | undefined): Promise<Examples[]> {
  const unknown = names?.find((name) => !(name in benchmarks));
  if (unknown !== undefined) {
    throw new ConfigError(`decontaminate: benchmarks: expected names of benchmarks, got "${unknown}"`, {
      hint: `there are ${Object.keys(benchmarks).join(", ")}`,
    });
  }
  const found: Examples[] = [];
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    const own = benchmark.data === undefined ? undefined : join(folder, benchmark.data.folder);
    const isNamed = names?.includes(name) === true;
    if (own === undefined || (names !== undefined && !isNamed) || (!isNamed && !existsSync(own))) continue;
    try {
      const examples = await benchmark.read(own, "test");
      found.push({ name, texts: examples.map((example) => contaminationText(benchmark, example)) });
    } catch (cause) {
      // A folder may hold a part of a benchmark's files; what was asked for by name must be there.
      if (!(cause instanceof GalenError) || isNamed) throw cause;
    }
  }
  if (found.length === 0) {
    throw new ConfigError(`${folder}: expected folders of benchmarks, got none that can be read`, {
      hint: 'name the folder that "galen evaluate suite --data" takes',
    });
  }
  return found;
}

export const decontaminateStage: MapStage<Settings> = {
  name: "decontaminate",
  about: "documents that hold test examples of benchmarks go",
  version: 1,
  settings,
  rewrites: false,
  files: ({ data }) => [data],
  async open({ data, benchmarks: names, inARow, share, shortest }, { folder }) {
    const sets = await readExamples(resolve(folder, data), names);
    const owners = sets.flatMap(({ name, texts }) => texts.map(() => name));
    const index = indexNgrams(sets.flatMap(({ texts }) => texts));
    return eachDocument((document) => {
      // Of each example, how much of it stands here: words in a row, and runs in all.
      const held = new Map<number, { longest: number; runs: number }>();
      for (const { text, words } of index.find(wholeText(document))) {
        const before = held.get(text) ?? { longest: 0, runs: 0 };
        held.set(text, { longest: Math.max(before.longest, words), runs: before.runs + words - leastWords + 1 });
      }
      for (const [text, { longest, runs }] of held) {
        const words = index.words[text]!;
        if (words < shortest) continue;
        const part = Math.min(1, runs / (words - leastWords + 1));
        if (longest < inARow && part < share) continue;
        const detail = `${longest} of ${words} words of an example in a row, ${Math.round(100 * part)} % of its runs`;
        return { keep: false, rule: owners[text]!, detail };
      }
      return { keep: true };
    });
  },
};
