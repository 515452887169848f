/**
 * Sentences of structured abstracts, each with the section that its authors put it in, in the form of PubMed-RCT
 * (Dernoncourt & Lee 2017): `###ID`, then `LABEL<TAB>sentence` lines, then a blank line. A sentence is shown alone; models
 * of whole abstracts, which see its neighbours, score higher.
 */
import { DataError } from "../errors.ts";
import { readLines } from "../io/lines.ts";
import { type Benchmark, type Example, exampleOfText, type Split } from "./benchmark.ts";
import { classBenchmark, oneLine } from "./classes.ts";

const classes = {
  BACKGROUND: "background",
  OBJECTIVE: "objective",
  METHODS: "methods",
  RESULTS: "results",
  CONCLUSIONS: "conclusions",
};

async function read(folder: string, split: Split): Promise<Example<string>[]> {
  const path = `${folder}/${split === "valid" ? "dev" : split}.txt`;
  const examples: Example<string>[] = [];
  let document: string | undefined;
  let count = 0;
  for await (const { number, text } of readLines(path)) {
    if (text.startsWith("###")) [document, count] = [text.slice(3).trim(), 0];
    else if (text.trim() !== "") {
      const [gold, sentence] = text.split("\t");
      if (document === undefined || sentence === undefined || !Object.hasOwn(classes, gold!)) {
        throw new DataError(
          `${path}:${number}: expected ###ID, or a section (${Object.keys(classes).join(", ")}), a tab and a sentence; ` +
            `got "${text.slice(0, 60)}"`,
        );
      }
      examples.push({ id: `${document}-${++count}`, document, text: sentence.trim(), gold: gold! });
    }
  }
  return examples;
}

const opening = "Sentence of an abstract:";

export const structuredAbstracts: Benchmark<Example<string>, string> = classBenchmark<Example<string>>({
  name: "structured-abstracts",
  version: "1",
  description: "Which of five sections of an abstract a sentence is from (PubMed-RCT's form)",
  data: {
    folder: "structured-abstracts",
    files: {
      train: [{ path: "train.txt", sha256: "72d6b23158c56808686cc099eb7446f254f31d71cd2a990c98e1cb8a5776be1c" }],
      valid: [{ path: "dev.txt", sha256: "5bc63565626adbf0de2bca678c5102f1ab01371e4a93755d3881baacaab855ac" }],
      test: [{ path: "test.txt", sha256: "c459a659cf4bfc5f6d6d7ecfa9588c9ae6c20eb07be5fc18542f50cabf34b37a" }],
    },
    from:
      "Collected from abstracts of open articles at https://pmc.ncbi.nlm.nih.gov; PubMed-RCT itself, in the same form, is at " +
      "https://github.com/Franck-Dernoncourt/pubmed-rct.",
    licence: "CC BY of each article",
  },
  classes,
  opening,
  cue: "Section:",
  read,
  exampleOf: (id, text) => ({ ...exampleOfText(id, text), gold: "" }),
  prompt: ({ text }) =>
    `${opening} ${oneLine(text)}\nWhich section is it from: background, objective, methods, results or conclusions?`,
  plain: ({ text }) => text,
});
