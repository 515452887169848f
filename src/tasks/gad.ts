/**
 * GAD (Bravo et al. 2015), as BioBERT and BLURB hand it round: does a sentence say that a gene and a disease are
 * associated? Both stand in it as @GENE$ and @DISEASE$. Reads train.tsv, dev.tsv and test.tsv, `index<TAB>sentence<TAB>label`
 * below a header, or BioBERT's training files, which have neither header nor index. Labels were made by a program.
 */
import { DataError } from "../errors.ts";
import { readLines } from "../io/lines.ts";
import { type Benchmark, type Example, exampleOfText, type Split } from "./benchmark.ts";
import { classBenchmark, oneLine } from "./classes.ts";

async function read(folder: string, split: Split): Promise<Example<string>[]> {
  const path = `${folder}/${split === "valid" ? "dev" : split}.tsv`;
  const examples: Example<string>[] = [];
  for await (const { number, text } of readLines(path)) {
    if (text.trim() === "" || (number === 1 && /^index\tsentence\tlabel\s*$/.test(text))) continue;
    const columns = text.split("\t");
    const [sentence, label] = columns.slice(-2).map((column) => column.trim());
    if (columns.length < 2 || columns.length > 3 || !/^[01]$/.test(label!)) {
      throw new DataError(`${path}:${number}: expected index, sentence and 0 or 1, got "${text.slice(0, 60)}"`, {
        hint: "columns are separated by tabs",
      });
    }
    const id = columns.length === 3 ? columns[0]!.trim() : `${number}`;
    examples.push({ id: `${split}-${id}`, text: sentence!, gold: label! });
  }
  return examples;
}

const opening = "Sentence:";

export const gad: Benchmark<Example<string>, string> = classBenchmark<Example<string>>({
  name: "gad",
  version: "1",
  description: "Whether a sentence says that a gene and a disease are associated (GAD, BLURB's split)",
  data: {
    folder: "gad",
    // Not known here: what is found is not compared with anything.
    files: {},
    from: "Get GAD/blurb of REdata.zip at https://huggingface.co/datasets/bigbio/gad, or BioBERT's at https://github.com/dmis-lab/biobert.",
    licence: "CC BY 4.0",
  },
  classes: { "1": "yes", "0": "no" },
  positives: ["1"],
  opening,
  cue: "Answer:",
  read,
  exampleOf: (id, text) => ({ ...exampleOfText(id, text), gold: "" }),
  prompt: ({ text }) => `${opening} ${oneLine(text)}\nIs @GENE$ associated with @DISEASE$? Answer with yes or no.`,
  plain: ({ text }) => text,
});
