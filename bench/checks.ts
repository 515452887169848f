/**
 * What the check of written sentences withholds: on NLI4CT's test statements over trial records (entailed or contradicted)
 * by the rules alone and with a checker, and on sentences of the corpus that were changed by one number, name, denial or
 * direction. Rates are of statements withheld: of unsupported ones high is good, of supported ones low. PAIRS are JSON
 * lines {"evidence", "statement", "label"}.
 *
 *     npx node bench/checks.ts PAIRS.jsonl CORPUS.jsonl [CHECKER_MODEL|-] [limit]
 */
import * as z from "zod";
import { brokenRule, type Checker, checkSentence } from "../src/answers/check.ts";
import { openChecker } from "../src/answers/write.ts";
import { readJsonLines } from "../src/io/json.ts";
import { random } from "../src/tensor/random.ts";
import { splitSentences } from "../src/corpus/sentences.ts";
import { readTexts } from "../src/corpus/texts.ts";

const [pairsFile, corpusFile, model = "-", most = "5500"] = process.argv.slice(2);
if (pairsFile === undefined || corpusFile === undefined) throw new Error("expected PAIRS.jsonl and CORPUS.jsonl");
const pair = z.object({ evidence: z.string(), statement: z.string(), label: z.enum(["Entailment", "Contradiction"]) });
const pairs = (await readJsonLines(pairsFile, pair)).slice(0, Number(most));
await using opened = model === "-" ? undefined : await openChecker(model);
const checker: Checker | undefined = opened;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** How many of the statements are withheld. */
async function withheld(
  some: readonly { evidence: string; statement: string }[],
  withChecker: boolean,
): Promise<number> {
  let count = 0;
  for (const { evidence, statement } of some) {
    const { reason } = await checkSentence(statement, evidence, withChecker ? checker : undefined);
    if (reason !== undefined) count += 1;
  }
  return count;
}

async function report(name: string, wrong: readonly Pair[], right: readonly Pair[]): Promise<void> {
  for (const withChecker of checker === undefined ? [false] : [false, true]) {
    const [bad, good] = [await withheld(wrong, withChecker), await withheld(right, withChecker)];
    const how = withChecker ? "rules and checker" : "rules alone";
    console.log(
      `${name}, ${how}: withheld ${percent(bad / wrong.length)} of ${wrong.length} unsupported, ${percent(good / Math.max(1, right.length))} of ${right.length} supported`,
    );
  }
}
interface Pair {
  readonly evidence: string;
  readonly statement: string;
}

await report(
  "NLI4CT",
  pairs.filter(({ label }) => label === "Contradiction"),
  pairs.filter(({ label }) => label === "Entailment"),
);
if (checker !== undefined) {
  let right = 0;
  for (const { evidence, statement, label } of pairs) {
    const [probability] = await checker.supports(evidence, [statement]);
    if (probability! >= 0.5 === (label === "Entailment")) right += 1;
  }
  console.log(`NLI4CT, checker alone: ${percent(right / pairs.length)} right of ${pairs.length}`);
}

const draw = random(13);
const sentences: string[] = [];
for await (const { text } of readTexts(corpusFile)) {
  const all = splitSentences(text).map((range) => text.slice(...range));
  sentences.push(...all.filter((one) => one.length > 60 && one.length < 300));
  if (sentences.length > 20_000) break;
}
draw.shuffle(sentences);
const names = [
  ...new Set(sentences.flatMap((one) => one.match(/\b[a-z]{7,}(?:ine|mab|ide|one|ate|itis|emia)\b/g) ?? [])),
];

/** Each makes of a sentence one that it does not support; undefined where it cannot. */
const changes: Readonly<Record<string, (text: string) => string | undefined>> = {
  number: (text) => (/\b\d+\b/.test(text) ? text.replace(/\b\d+\b/, (one) => String(Number(one) + 7)) : undefined),
  unit: (text) => (/\d ?mg\b/.test(text) ? text.replace(/(?<=\d ?)mg\b/, "g") : undefined),
  denial: (text) =>
    /\b(?:was|were|is|are)\b/.test(text) ? text.replace(/\b(was|were|is|are)\b/, "$1 not") : undefined,
  direction: (text) =>
    swapped(text, [
      ["increased", "decreased"],
      ["higher", "lower"],
      ["reduced", "increased"],
      ["decreased", "increased"],
      ["lower", "higher"],
    ]),
  name: (text) => {
    const found = names.find((one) => new RegExp(`\\b${one}\\b`).test(text));
    const other = names[draw.integer(names.length)]!;
    return found === undefined || text.includes(other) ? undefined : text.replace(found, other);
  },
};

function swapped(text: string, pairsOf: readonly (readonly [string, string])[]): string | undefined {
  const found = pairsOf.find(([from]) => new RegExp(`\\b${from}\\b`).test(text));
  return found === undefined ? undefined : text.replace(new RegExp(`\\b${found[0]}\\b`), found[1]);
}

for (const [name, change] of Object.entries(changes)) {
  const wrong: Pair[] = [];
  for (const text of sentences) {
    const statement = change(text);
    if (statement !== undefined) wrong.push({ evidence: text, statement });
    if (wrong.length === 300) break;
  }
  await report(
    `changed ${name}`,
    wrong,
    wrong.map(({ evidence }) => ({ evidence, statement: evidence })),
  );
}
const reasons = new Map<string, number>();
for (const { evidence, statement, label } of pairs) {
  if (label !== "Entailment") continue;
  const reason = brokenRule(statement, evidence)?.replace(/"[^"]*"|[\d.]+/g, "…") ?? "none";
  const kind = reason.startsWith("the passage does not name") ? "the passage does not name …" : reason;
  reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
}
console.log(
  [...reasons]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 8)
    .map(([reason, count]) => `${count} ${reason}`)
    .join("\n"),
);
