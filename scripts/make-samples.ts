/**
 * Makes the small data sets in samples/ of pubmed-sample.xml, whose texts are ours: pairs, topics, drug names, relations.
 * Labels come from the words of the texts, so that a model can learn something from so little; they claim nothing more.
 * Run: npx node scripts/make-samples.ts
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { readDocuments } from "../src/corpus/documents.ts";

const topics: Readonly<Record<string, RegExp>> = {
  heart: /hypertens|heart|cardi|coronary|stroke|statin|fibrillation|anticoagul|aspirin/i,
  cancer: /cancer|tumou?r|leuk|lymphoma|melanoma|BRCA|carcinoma|neoplas|kinase/i,
  infection: /infect|antibiot|virus|viral|bacter|tubercul|malaria|vaccin|sepsis|HIV/i,
  hormones: /diabet|insulin|thyroid|cortisol|hormone|metformin|adrenal/i,
};
const drugs =
  /\b(aspirin|heparin|warfarin|metformin|insulin|prednisone|dexamethasone|losartan|amlodipine|spironolactone|allopurinol|rituximab|atorvastatin|simvastatin|budesonide|rivaroxaban|propranolol|infliximab|clarithromycin|dapagliflozin|hydroxychloroquine|verapamil|eculizumab|labetalol|sildenafil|desmopressin|lisinopril|enalapril|furosemide|olaparib|methotrexate|amiodarone|digoxin|levodopa|imatinib|trastuzumab|fluoxetine|sertraline)\b/i;
const diseases =
  /\b(hypertension|heart failure|diabetes|stroke|asthma|pneumonia|tuberculosis|depression|atrial fibrillation|gout|psoriasis|rheumatoid arthritis|myocardial infarction|breast cancer|hypothyroidism|epilepsy|malaria|pain|anemia|sepsis)\b/i;

const folder = new URL("../samples/", import.meta.url).pathname;
const documents: { title: string; text: string }[] = [];
for await (const { title, text } of readDocuments([`${folder}pubmed-sample.xml`])) documents.push({ title, text });

const write = (name: string, rows: readonly unknown[]): void =>
  writeFileSync(folder + name, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
const sentencesOf = (text: string): string[] => text.split(/(?<=[.]) (?=[A-Z])/);
const start = (text: string): string => sentencesOf(text).slice(0, 2).join(" ").replaceAll("\n", " ");

write(
  "pairs.jsonl",
  documents.slice(0, 64).map(({ title, text }) => ({ query: title.replace(/\.$/, ""), documents: [start(text)] })),
);

const labelled = documents.flatMap(({ title, text }) => {
  const found = Object.keys(topics).filter((name) => topics[name]!.test(title));
  return found.length === 1 ? [{ text: `${title} ${start(text)}`, label: found[0] }] : [];
});
write(
  "topics.jsonl",
  labelled.filter((_, i) => i % 5 !== 0),
);
write(
  "topics-test.jsonl",
  labelled.filter((_, i) => i % 5 === 0),
);

const sentences = documents
  .flatMap(({ text }) => sentencesOf(text))
  .filter((one) => drugs.test(one) && one.length < 250);
const tagged = sentences.slice(0, 80).map((sentence) => {
  const tokens = sentence.match(/[\p{L}\p{N}]+|[^\p{L}\p{N}\s]/gu) ?? [];
  return tokens
    .map((token) => `${token}\t${new RegExp(`^${drugs.source}$`, "i").test(token) ? "B-Drug" : "O"}\n`)
    .join("");
});
writeFileSync(`${folder}drugs.tsv`, tagged.slice(0, 64).join("\n"));
writeFileSync(`${folder}drugs-test.tsv`, tagged.slice(64).join("\n"));

const relations = documents.flatMap(({ text }, i) => {
  const sentence = sentencesOf(text).find((one) => drugs.test(one) && diseases.test(one) && one.length < 300);
  if (sentence === undefined) return [];
  const [head, tail] = [drugs.exec(sentence)![0], diseases.exec(sentence)![0]];
  return [{ id: String(i + 1), text: sentence, relations: [{ head, tail, relation: "concerns" }] }];
});
mkdirSync(`${folder}relations`, { recursive: true });
write("relations/train.jsonl", relations.slice(8));
write("relations/valid.jsonl", relations.slice(0, 4));
write("relations/test.jsonl", relations.slice(4, 8));
writeFileSync(`${folder}relations.json`, `${JSON.stringify({ kind: "relation", relations: ["concerns"] })}\n`);
console.log({ labelled: labelled.length, sentences: tagged.length, relations: relations.length });
