/**
 * What the weights of src/answers/verdict.ts were measured by, and what verdicts reach. Fitted on PubMedQA's 500 labelled
 * articles that are not the published test and on the yes/no questions of BioASQ's calibration half; measured on the 500
 * of the test, the abstract given without its conclusion and asked of a whole index, and on BioASQ's test half.
 *
 *     npx node bench/verdicts.ts ../shared/data [fit|test [VERDICT_MODEL]|data FILE]
 */
import { join } from "node:path";
import { answer } from "../src/answers/ask.ts";
import { readQuestion } from "../src/answers/question.ts";
import { scoreSentences } from "../src/answers/score.ts";
import {
  featuresOfEvidence,
  type Judge,
  judgeOf,
  largest,
  sharesOf,
  type VerdictName,
  verdictFeatures,
  verdicts,
  verdictText,
} from "../src/answers/verdict.ts";
import { loadClassifier } from "../src/labellers.ts";
import { writeJsonLines } from "../src/io/json.ts";
import type { SearchIndex } from "../src/search/types.ts";
import { random } from "../src/tensor/random.ts";
import { memoryIndex } from "../test/support/memory-index.ts";
import type { Verdict } from "../src/answers/types.ts";
import { type PubMedQaArticle, readBioasq, readOthers, readPubMedQa } from "./support/bioasq.ts";
import { fitSoftmax } from "./support/logistic.ts";

const [data = "../shared/data", what = "test", model] = process.argv.slice(2);
const bioasq = await readBioasq(join(data, "benchmarks/bioasq"));
const pubmedqa = await readPubMedQa(join(data, "benchmarks/pubmedqa"));
const rest = await readOthers(join(data, "corpus/abstracts.jsonl.zst"), 4000);
const shuffled = random(13).shuffle(bioasq.questions);
const halves = [shuffled.slice(0, shuffled.length >> 1), shuffled.slice(shuffled.length >> 1)];
const [calibration, test] = halves.map((some) => some.filter(({ yesNo }) => yesNo !== undefined));
const without = await memoryIndex([...bioasq.documents, ...pubmedqa.map((one) => one.document), ...rest]);
const withThem = await memoryIndex([...bioasq.documents, ...pubmedqa.map((one) => one.whole), ...rest]);

interface Evidence {
  readonly question: string;
  readonly texts: readonly string[];
  readonly supports: readonly number[];
  readonly gold: VerdictName;
  /** As it would be shown. */
  readonly shown?: Verdict["answer"] | undefined;
}

/** The best five sentences of the abstract alone. */
async function ofAbstract({ question, document, decision }: PubMedQaArticle): Promise<Evidence> {
  const found = [{ document, rank: 0, start: 0, end: document.text.length }];
  const best = (await scoreSentences(without, readQuestion(question), found)).slice(0, 5);
  return { question, texts: best.map(({ text }) => text), supports: best.map(({ score }) => score), gold: decision };
}

async function ofIndex(index: SearchIndex, question: string, gold: VerdictName): Promise<Evidence> {
  const { sentences, verdict } = await answer(index, question);
  const texts = sentences.map(({ citations }) => citations[0]!.quote);
  return { question, texts, supports: sentences.map(({ support }) => support), gold, shown: verdict?.answer };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

async function figures(name: string, all: readonly Evidence[], judge: Judge | undefined): Promise<void> {
  const found = all.filter(({ texts }) => texts.length > 0);
  const given: VerdictName[] = [];
  for (const { question, texts, supports } of found) {
    const shares =
      judge === undefined
        ? sharesOf(featuresOfEvidence(question, texts, supports))
        : await judge.judge(question, texts);
    given.push(largest(shares));
  }
  const right = (name: VerdictName | undefined): number =>
    found.filter(({ gold }, i) => given[i] === gold && (name === undefined || gold === name)).length;
  const counts = verdicts.map((one) => found.filter(({ gold }) => gold === one).length);
  const f1 = verdicts.map(
    (one, i) => (2 * right(one)) / Math.max(1, counts[i]! + given.filter((x) => x === one).length),
  );
  const used = counts.filter((one) => one > 0).length;
  const macro = f1.reduce((sum, one) => sum + one, 0) / used;
  const majority = percent(Math.max(...counts) / found.length);
  console.log(
    `${name}: ${found.length} of ${all.length} answered, ${percent(right(undefined) / found.length)} right, macro F1 ${percent(macro)} (always the commonest: ${majority})`,
  );
  const clear = all.filter(({ shown }) => shown !== undefined && shown !== "unclear");
  if (clear.length === 0) return;
  const agreed = clear.filter(({ shown, gold }) => shown === gold).length;
  console.log(
    `  shown to ${percent(clear.length / all.length)} of all, of which ${percent(agreed / clear.length)} right`,
  );
}

async function evidenceOf(articles: readonly PubMedQaArticle[], index?: SearchIndex): Promise<Evidence[]> {
  const found: Evidence[] = [];
  for (const one of articles) {
    found.push(index === undefined ? await ofAbstract(one) : await ofIndex(index, one.question, one.decision));
  }
  return found;
}

async function ofBioasq(questions: typeof bioasq.questions): Promise<Evidence[]> {
  const found: Evidence[] = [];
  for (const { text, yesNo } of questions) found.push(await ofIndex(without, text, yesNo!));
  return found;
}

if (what === "fit" || what === "data") {
  const articles = pubmedqa.filter((one) => !one.test);
  const evidence = [
    ...(await evidenceOf(articles)),
    ...(await evidenceOf(articles, withThem)),
    ...(await ofBioasq(calibration!)),
  ];
  const rows = evidence
    .filter(({ texts }) => texts.length > 0)
    .map(({ question, texts, supports, gold }) => ({
      features: featuresOfEvidence(question, texts, supports),
      label: verdicts.indexOf(gold),
    }));
  if (what === "data") {
    const lines = evidence.map(({ question, texts, gold }) => ({ text: verdictText(question, texts), label: gold }));
    await writeJsonLines(model!, lines);
    console.log(`${model!}  ${lines.length} lines for galen train classifier`);
    process.exit(0);
  }
  const fitted = fitSoftmax(rows, verdicts.length);
  fitted.forEach((weights, i) => console.log(`${verdicts[i]}: [${weights.map((one) => one.toFixed(3)).join(", ")}],`));
  console.log(verdictFeatures.join(", "));
} else {
  await using classifier = model === undefined ? undefined : await loadClassifier(model);
  const judge = classifier === undefined ? undefined : judgeOf(classifier);
  const articles = pubmedqa.filter((one) => one.test);
  await figures("PubMedQA, the abstract without its conclusion", await evidenceOf(articles), judge);
  await figures("PubMedQA, of the index, without conclusions", await evidenceOf(articles, without), judge);
  await figures("PubMedQA, of the index, with conclusions", await evidenceOf(articles, withThem), judge);
  await figures("BioASQ, of the index", await ofBioasq(test!), judge);
}
