/**
 * What the constants of src/answers were measured by, and what answers reach. BioASQ 7b-10b's questions are parted at
 * random into a calibration and a test half; documents are made of the golden snippets (the abstracts are not among the
 * data), beside PubMedQA's abstracts, some of the corpus, and the NIH's pages for consumers, whose questions are parted by
 * topic: whole documents, in which most sentences answer something else. On the calibration halves weights are fitted and
 * the threshold is chosen; on the test halves `ask` itself is asked, once with all documents and once without the question's.
 *
 *     npx node bench/answers.ts ../shared/data [fit|test] [MODEL|-] [others] [questions a set] [--reranker DIR]
 *
 * With --pairs FILE the calibration halves' questions are written as lists for `galen train reranker`: a sentence that
 * answers, and three of those that score best and do not.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeJsonLines } from "../src/io/json.ts";
import { openScorer } from "../src/retrieval/scorers.ts";
import { rerankerOf } from "../src/search/reranker.ts";
import { inContext } from "../src/answers/sentence.ts";
import { answer, retrieve, thresholds } from "../src/answers/ask.ts";
import { readQuestion } from "../src/answers/question.ts";
import { bestByWords, candidatesOf, featureNames, probabilityOf, raritiesOf, weights } from "../src/answers/score.ts";
import { rouge, rougeKinds } from "../src/metrics/rouge.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { splitSentences } from "../src/corpus/sentences.ts";
import { dot } from "../src/retrieval/vector-similarity.ts";
import { random } from "../src/tensor/random.ts";
import { type Embed, memoryIndex } from "../test/support/memory-index.ts";
import { readBioasq, readOthers, readPubMedQa } from "./support/bioasq.ts";
import { fitLogistic } from "./support/logistic.ts";
import { readNih } from "./support/nih.ts";

interface Asked {
  readonly text: string;
  /** What answers it, as experts marked it. */
  readonly snippets: readonly { readonly text: string }[];
  /** Of these, what says it best. */
  readonly best?: string;
}

interface Question extends Asked {
  readonly documents: ReadonlySet<string>;
  readonly ideal: readonly string[];
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { reranker: { type: "string" }, pairs: { type: "string" } },
});
const [data = "../shared/data", what = "test", model = "-", others = "4000", most = "10000"] = positionals;
const bioasq = await readBioasq(join(data, "benchmarks/bioasq"));
const pubmedqa = await readPubMedQa(join(data, "benchmarks/pubmedqa"));
const nih = await readNih(join(data, "corpus/nih-questions.jsonl.zst"));
const rest = await readOthers(join(data, "corpus/abstracts.jsonl.zst"), Number(others));
const documents = [...bioasq.documents, ...pubmedqa.map(({ whole }) => whole), ...nih.documents, ...rest];
const hidden = new Set<string>();
const embed = model === "-" ? undefined : await cachedEmbedder(model);
await using scorer = values.reranker === undefined ? undefined : await openScorer(values.reranker);
const index = await memoryIndex(documents, { embed, hidden, rerank: scorer && rerankerOf(scorer) });
const known = new Set(documents.map(({ id }) => id));
const halvesOf = (questions: readonly Question[], share: number): readonly [Question[], Question[]] => {
  const half = questions.length >> 1;
  const count = Math.round(Number(most) * share);
  return [questions.slice(0, half).slice(0, count), questions.slice(half).slice(0, count)];
};
const shuffled = random(13).shuffle(bioasq.questions.filter((one) => [...one.documents].some((id) => known.has(id))));
const topics = random(17).shuffle([...new Set(nih.questions.map(({ document }) => document))]);
const rankOf = new Map(topics.map((id, i) => [id, i]));
// Of a topic two questions, so that many topics are asked; those of one topic stay in one half.
const consumers = random(19)
  .shuffle(nih.questions)
  .filter(
    (
      (asked) =>
      ({ document }: { readonly document: string }) => {
        asked.set(document, (asked.get(document) ?? 0) + 1);
        return asked.get(document)! <= 2;
      }
    )(new Map<string, number>()),
  )
  .sort((a, b) => rankOf.get(a.document)! - rankOf.get(b.document)!)
  .map(({ text, document, answer: said, hasHeadings }) => ({
    text,
    snippets: [{ text: said }],
    best: firstSentences(said, 2),
    documents: new Set([document]),
    ideal: [],
    hasHeadings,
  }));
const sets: Readonly<Record<string, readonly [Question[], Question[]]>> = {
  BioASQ: halvesOf(shuffled, 1),
  "NIH, running text": halvesOf(
    consumers.filter((one) => !one.hasHeadings),
    0.5,
  ),
  "NIH, headings": halvesOf(
    consumers.filter((one) => one.hasHeadings),
    0.5,
  ),
};
console.log(
  `${documents.length} documents, ${Object.entries(sets)
    .map(([name, [a, b]]) => `${name} ${a.length} questions for calibration, ${b.length} for the test`)
    .join("; ")}, ${model === "-" ? "words alone" : model}`,
);

/** Vectors of texts, kept in a file beside the others of this measurement (GALEN_VECTORS). */
async function cachedEmbedder(folder: string): Promise<Embed> {
  const embedder = await loadEmbedder(folder, { weights: "int8" });
  const file = process.env["GALEN_VECTORS"];
  const kept = new Map<string, Float32Array>();
  if (file !== undefined && existsSync(`${file}.texts`)) {
    const bytes = readFileSync(`${file}.vectors`);
    const texts = readFileSync(`${file}.texts`, "utf8").trimEnd().split("\n");
    texts.forEach((text, i) => {
      const own = new Uint8Array(bytes.subarray(i * embedder.width * 4, (i + 1) * embedder.width * 4));
      kept.set(JSON.parse(text) as string, new Float32Array(own.buffer));
    });
  }
  return async (texts) => {
    const missing = [...new Set(texts.filter((text) => !kept.has(text)))];
    for (let i = 0; i < missing.length; i += 512) {
      const some = missing.slice(i, i + 512);
      const vectors = await embedder.embed(some);
      if (missing.length > 2000) process.stderr.write(`\rvectors ${i} of ${missing.length}`);
      some.forEach((text, j) => kept.set(text, vectors[j]!));
      if (file === undefined) continue;
      appendFileSync(
        `${file}.vectors`,
        Buffer.concat(
          vectors.map((one) =>
            Buffer.from(Uint8Array.from(new Uint8Array(one.buffer, one.byteOffset, one.byteLength))),
          ),
        ),
      );
      appendFileSync(`${file}.texts`, some.map((text) => `${JSON.stringify(text)}\n`).join(""));
    }
    return texts.map((text) => kept.get(text)!);
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const mean = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / Math.max(1, values.length);
const squeezed = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");

/** Whether a golden text says it: the sentence stands in it, or holds it and not much more. */
function says(golden: string, sentence: string): boolean {
  const [snippet, own] = [squeezed(golden), squeezed(sentence)];
  return snippet.includes(own) || (own.includes(snippet) && snippet.length >= own.length / 2);
}

const marked = (question: Asked, sentence: string): boolean =>
  question.snippets.some(({ text }) => says(text, sentence));

function hide(question: Question | undefined): void {
  hidden.clear();
  for (const id of question?.documents ?? []) if (known.has(id)) hidden.add(id);
}

/** Sentences that come into question. */
async function candidatesFor({ text }: Asked): Promise<ReturnType<typeof bestByWords>> {
  const read = readQuestion(text);
  const { usable } = await retrieve(index, read.query, {});
  return bestByWords(candidatesOf(read, await raritiesOf(index, read), usable));
}

/**
 * Of snippets alone nobody learns which sentence of an abstract answers: PubMedQA's conclusions teach it. `own` is
 * the abstract, whose results are left out, since they may answer as well.
 */
const conclusions = pubmedqa
  .filter((one) => !one.test)
  .map(({ id, question, conclusion }) => ({ own: id, asked: { text: question, snippets: [{ text: conclusion }] } }));

/** Lists of one right sentence and three wrong ones, the right one first; at most two of a question. */
async function listsOf(question: Asked, own?: string): Promise<{ query: string; documents: string[] }[]> {
  const best = (await candidatesFor(question)).map(({ sentence }) => sentence);
  const right = best.filter(
    ({ text }) => marked(question, text) && (question.best === undefined || says(question.best, text)),
  );
  const wrong = best.filter((one) => !marked(question, one.text) && one.document.id !== own).slice(0, 6);
  return right.slice(0, 2).flatMap((one, i) => {
    const others = wrong.slice(3 * i, 3 * i + 3).map(inContext);
    return others.length < 3 ? [] : [{ query: question.text, documents: [inContext(one), ...others] }];
  });
}

async function writePairs(path: string, questions: readonly Question[]): Promise<void> {
  const lists = [];
  for (const question of questions) lists.push(...(await listsOf(question)));
  for (const { asked, own } of conclusions) lists.push(...(await listsOf(asked, own)));
  await writeJsonLines(path, random(23).shuffle(lists));
  console.log(`${path}: ${lists.length} lists for galen train reranker`);
}

interface Row {
  readonly features: number[];
  readonly label: number;
  readonly weight: number;
}

/** Whole pages go on for long; of their answers the beginning is what a good sentence looks like. */
const restWeight = 0.25;

/** What a question counts for beside the penalty. */
const sentencesAQuestion = 128;

/** `own` is a document of which only what is marked counts, or what is no result. */
async function rowsOf(question: Asked, own?: string): Promise<Row[]> {
  const best = await candidatesFor(question);
  const texts = best.map(({ sentence }) => sentence.text);
  const [asked, ...vectors] = embed === undefined ? [] : await embed([readQuestion(question.text).text, ...texts]);
  return best.flatMap(({ features, sentence }, i): Row[] => {
    const label = marked(question, sentence.text) ? 1 : 0;
    const isBest = question.best === undefined || says(question.best, sentence.text);
    const weight = label === 1 && !isBest ? restWeight : 1;
    if (label === 0 && sentence.document.id === own && /result|finding/i.test(sentence.section ?? "result")) return [];
    return [{ features: asked === undefined ? features : [...features, dot(asked, vectors[i]!)], label, weight }];
  });
}

interface Group {
  readonly set: string;
  readonly with: Row[];
  readonly without: Row[];
}

async function fit(questions: Readonly<Record<string, readonly Question[]>>): Promise<void> {
  const groups: Group[] = [];
  for (const [set, some] of Object.entries(questions))
    for (const question of some) {
      hide(undefined);
      const all = await rowsOf(question);
      hide(question);
      groups.push({ set, with: all, without: await rowsOf(question) });
    }
  const abstracts: Row[] = [];
  for (const { asked, own } of conclusions) {
    hidden.clear();
    abstracts.push(...(await rowsOf(asked, own)));
  }
  // Questions count alike, however many sentences are looked at for each; abstracts together a third of them.
  const alike = (some: readonly Row[], count: number): Row[] =>
    some.map((row) => ({ ...row, weight: (row.weight * count * sentencesAQuestion) / some.length }));
  const rows = [
    ...groups.flatMap((one) => alike([...one.with, ...one.without], 1)),
    ...alike(abstracts, groups.length / 3),
  ];
  const fitted = fitLogistic(rows);
  fitted.forEach((weight, i) => console.log(`${weight.toFixed(3).padStart(9)}  ${featureNames[i]}`));
  console.log(`[${fitted.map((one) => Number(one.toFixed(3))).join(", ")}]`);
  const probability = ({ features }: Row): number => probabilityOf(fitted, features);
  const tops = groups.map((one) => {
    const first = one.with.reduce<Row | undefined>(
      (best, row) => (best === undefined || probability(row) > probability(best) ? row : best),
      undefined,
    );
    return {
      set: one.set,
      answerable: first === undefined ? 0 : probability(first),
      isRight: first?.label === 1,
      not: Math.max(0, ...one.without.map(probability)),
    };
  });
  for (const set of ["all", ...Object.keys(questions)]) {
    const own = tops.filter((one) => set === "all" || one.set === set);
    const at = (least: number): { answered: number; refused: number; right: number } => {
      const answered = own.filter((one) => one.answerable >= least);
      return {
        answered: answered.length / own.length,
        refused: own.filter((one) => one.not < least).length / own.length,
        right: answered.filter(({ isRight }) => isRight).length / answered.length,
      };
    };
    const steps = Array.from({ length: 95 }, (_, i) => 0.02 + i / 100);
    const sum = (least: number): number => at(least).answered + at(least).refused;
    const best = steps.reduce((one, other) => (sum(other) > sum(one) ? other : one));
    console.log(`${set}; best ${best.toFixed(2)}, mean of answered and refused ${percent(sum(best) / 2)}`);
    for (const least of steps.filter((_, i) => i % 6 === 4 && i < 70)) {
      const { answered, refused, right } = at(least);
      console.log(
        `  found ${least.toFixed(2)}: answered ${percent(answered)}, first sentences right ${percent(right)}, refused without their documents ${percent(refused)}`,
      );
    }
  }
  for (let keep = 0.1; keep < 0.9; keep += 0.1) {
    const kept = groups.flatMap((one) => one.with.filter((row) => probability(row) >= keep));
    const right = kept.filter(({ label }) => label === 1).length;
    console.log(`keep ${keep.toFixed(1)}: ${kept.length} sentences, ${percent(right / kept.length)} marked`);
  }
}

async function measure(questions: readonly Question[]): Promise<void> {
  const figures = { answered: 0, sentences: 0, marked: 0, gold: 0, first: 0, refused: 0 };
  const rouges = rougeKinds.map(() => ({ ours: [] as number[], first: [] as number[] }));
  for (const question of questions) {
    hide(undefined);
    const found = await answer(index, question.text);
    const { hits } = await index.search(readQuestion(question.text).query, { limit: 1 });
    const count = Math.min(3, found.sentences.length);
    const first = firstSentences(hits[0]?.passage ?? "", count);
    const ours = found.sentences
      .slice(0, count)
      .map(({ text }) => text)
      .join(" ");
    // Of what is answered; as many sentences of the top document as of the answer.
    if (question.ideal.length > 0 && count > 0)
      rougeKinds.forEach((kind, i) => {
        rouges[i]!.ours.push(rouge(kind, ours, question.ideal).f1);
        rouges[i]!.first.push(rouge(kind, first, question.ideal).f1);
      });
    if (found.found) figures.answered += 1;
    figures.sentences += found.sentences.length;
    figures.marked += found.sentences.filter(({ text }) => marked(question, text)).length;
    figures.gold += found.sentences.filter(({ citations }) =>
      citations.some(({ id }) => question.documents.has(id)),
    ).length;
    if (found.sentences[0] !== undefined && marked(question, found.sentences[0].text)) figures.first += 1;
    hide(question);
    if (!(await answer(index, question.text)).found) figures.refused += 1;
  }
  const all = questions.length;
  console.log(`answerable questions answered      ${percent(figures.answered / all)}`);
  console.log(`unanswerable questions refused     ${percent(figures.refused / all)}`);
  console.log(`sentences an answer                ${(figures.sentences / figures.answered).toFixed(2)}`);
  console.log(`sentences that experts marked      ${percent(figures.marked / figures.sentences)}`);
  console.log(`  of golden documents              ${percent(figures.gold / figures.sentences)}`);
  console.log(`first sentences that experts marked ${percent(figures.first / figures.answered)}`);
  rougeKinds.forEach((kind, i) => {
    if (rouges[i]!.ours.length === 0) return; // nobody wrote an ideal answer
    console.log(
      `${kind.padEnd(9)} F1, at most three sentences  ${mean(rouges[i]!.ours).toFixed(3)}, first sentences of the top document ${mean(rouges[i]!.first).toFixed(3)}`,
    );
  });
  console.log(
    `thresholds ${JSON.stringify(thresholds)}, ${weights.words.length} and ${weights.vectors.length} weights`,
  );
}

function firstSentences(text: string, count: number): string {
  const ranges = splitSentences(text).slice(0, count);
  return ranges.map(([start, end]) => text.slice(start, end)).join(" ");
}

if (values.pairs !== undefined)
  await writePairs(
    values.pairs,
    Object.values(sets).flatMap(([half]) => half),
  );
else if (what === "fit") await fit(Object.fromEntries(Object.entries(sets).map(([name, [half]]) => [name, half])));
else {
  for (const [name, [, test]] of Object.entries(sets)) {
    console.log(name);
    await measure(test);
  }
}
