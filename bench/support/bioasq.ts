/**
 * BioASQ's golden questions with documents made of their snippets (the abstracts themselves are not among the data), and
 * what is put beside them in an index: PubMedQA's abstracts and those of the corpus.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { readTexts } from "../../src/corpus/texts.ts";
import { readJson } from "../../src/io/json.ts";
import type { IndexedDocument } from "../../src/search/types.ts";
import { indexedDocument } from "../../test/support/memory-index.ts";

const snippet = z.object({
  text: z.string(),
  document: z.string(),
  beginSection: z.string(),
  offsetInBeginSection: z.number(),
});
const golden = z.object({
  questions: z.array(
    z.object({
      id: z.string(),
      body: z.string(),
      type: z.string(),
      documents: z.array(z.string()),
      snippets: z.array(snippet),
      ideal_answer: z.union([z.string(), z.array(z.string())]).optional(),
      exact_answer: z.unknown().optional(),
    }),
  ),
});

export interface BioasqQuestion {
  readonly id: string;
  readonly text: string;
  readonly type: string;
  /** Ids of the gold documents, those of the snippets included. */
  readonly documents: ReadonlySet<string>;
  readonly snippets: readonly { readonly id: string; readonly text: string }[];
  readonly ideal: readonly string[];
  readonly yesNo: "yes" | "no" | undefined;
}

const idOf = (url: string): string => url.split("/").at(-1)!;
const plain = (text: string): string => text.replace(/\s+/g, " ").trim();

export async function readBioasq(
  folder: string,
): Promise<{ questions: BioasqQuestion[]; documents: IndexedDocument[] }> {
  const questions: BioasqQuestion[] = [];
  const parts = new Map<string, { title: boolean; at: number; text: string }[]>();
  for (const name of readdirSync(folder)
    .filter((one) => one.endsWith("_golden.json"))
    .sort()) {
    for (const one of (await readJson(join(folder, name), golden)).questions) {
      const { id, body, type, documents, snippets, ideal_answer: ideal = [], exact_answer: exact } = one;
      const marked = snippets.map(({ document, text }) => ({ id: idOf(document), text: plain(text) }));
      const answer = typeof exact === "string" ? exact.toLowerCase() : undefined;
      questions.push({
        id,
        text: plain(body),
        type,
        snippets: marked,
        documents: new Set([...documents.map(idOf), ...marked.map((found) => found.id)]),
        ideal: typeof ideal === "string" ? [ideal] : ideal,
        yesNo: type === "yesno" && (answer === "yes" || answer === "no") ? answer : undefined,
      });
      for (const { document, text, beginSection, offsetInBeginSection: at } of snippets) {
        const list = parts.get(idOf(document)) ?? [];
        list.push({ title: beginSection === "title", at, text: plain(text) });
        parts.set(idOf(document), list);
      }
    }
  }
  return { questions, documents: [...parts].map(([id, some]) => joined(id, some)) };
}

/** Snippets in their order, without those that stand in another. */
function joined(id: string, parts: readonly { title: boolean; at: number; text: string }[]): IndexedDocument {
  const ordered = [...parts].sort((a, b) => a.at - b.at || b.text.length - a.text.length);
  const title = ordered.find((one) => one.title)?.text ?? "";
  let abstract: string[] = [];
  for (const { title: isTitle, text } of ordered) {
    if (isTitle || abstract.some((one) => one.includes(text))) continue;
    abstract = abstract.filter((one) => !text.includes(one));
    abstract.push(text);
  }
  return indexedDocument({ id, title, abstract: abstract.length === 0 ? [] : abstract.join(" ") });
}

const article = z.object({
  QUESTION: z.string(),
  CONTEXTS: z.array(z.string()),
  LABELS: z.array(z.string()),
  LONG_ANSWER: z.string(),
  final_decision: z.enum(["yes", "no", "maybe"]),
});

export interface PubMedQaArticle {
  readonly id: string;
  readonly question: string;
  readonly decision: "yes" | "no" | "maybe";
  readonly test: boolean;
  readonly conclusion: string;
  /** Without the conclusion. */
  readonly document: IndexedDocument;
  /** With it. */
  readonly whole: IndexedDocument;
}

export async function readPubMedQa(folder: string): Promise<PubMedQaArticle[]> {
  const all = await readJson(join(folder, "ori_pqal.json"), z.record(z.string(), article));
  const test = await readJson(join(folder, "test_ground_truth.json"), z.record(z.string(), z.string()));
  return Object.entries(all).map(([id, { QUESTION, CONTEXTS, LABELS, LONG_ANSWER, final_decision }]) => {
    const abstract = CONTEXTS.map((text, i) => [LABELS[i] ?? null, plain(text)] as const);
    return {
      id,
      question: plain(QUESTION),
      decision: final_decision,
      test: id in test,
      conclusion: plain(LONG_ANSWER),
      document: indexedDocument({
        id,
        abstract,
      }),
      whole: indexedDocument({
        id,
        abstract: [...abstract, ["CONCLUSIONS", plain(LONG_ANSWER)]],
      }),
    };
  });
}

/** Titles and abstracts of a corpus file, at most `limit`. */
export async function readOthers(path: string, limit: number): Promise<IndexedDocument[]> {
  const found: IndexedDocument[] = [];
  for await (const { id, title = "", text } of readTexts(path)) {
    found.push(indexedDocument({ id: `other-${id}`, title, abstract: text }));
    if (found.length === limit) break;
  }
  return found;
}
