/**
 * Consumers' questions of the NIH (MedQuAD, in data/corpus): a topic's answers make a document without its questions, and of
 * each question it is known which part of which document answers it. Real documents, in which most sentences do not answer.
 * Every other document has its answers under headings ("symptoms", "treatment"), as such pages mostly do.
 */
import { readTexts } from "../../src/corpus/texts.ts";
import { focusOf } from "../../src/answers/question.ts";
import { indexedDocument } from "../../test/support/memory-index.ts";
import type { IndexedDocument } from "../../src/search/types.ts";

export interface NihQuestion {
  readonly id: string;
  readonly text: string;
  /** The document with the answer. */
  readonly document: string;
  readonly answer: string;
  readonly hasHeadings: boolean;
}

const hasHeadings = (i: number): boolean => i % 2 === 0;

const plain = (text: string): string => text.replace(/\s+/g, " ").trim();

export async function readNih(path: string): Promise<{ questions: NihQuestion[]; documents: IndexedDocument[] }> {
  const topics = new Map<string, { question: string; answer: string }[]>();
  for await (const { title = "", text } of readTexts(path)) {
    const parts = text.split(/\n?\s*Question:\s*/).slice(1);
    for (const part of parts) {
      const [question, answer] = part.split(/\n?\s*Answer:\s*/);
      if (question === undefined || answer === undefined) continue;
      const asked = `${plain(question).replace(/\s*[?;]+[\s?;]*$/, "")}?`;
      const known = topics.get(title) ?? [];
      if (answer.trim() !== "" && !known.some((one) => one.question === asked)) {
        known.push({ question: asked, answer: plain(answer) });
      }
      topics.set(title, known);
    }
  }
  const all = [...topics].filter(([title, parts]) => title !== "" && parts.length > 0);
  return {
    documents: all.map(([title, parts], i) =>
      indexedDocument({
        id: `nih-${i}`,
        title,
        abstract: parts.map(
          ({ question, answer }) => [hasHeadings(i) ? (focusOf(question) ?? null) : null, answer] as const,
        ),
      }),
    ),
    // With one answer alone any of its sentences would do.
    questions: all.flatMap(([, parts], i) =>
      parts.length < 3
        ? []
        : parts.map(({ question, answer }, k) => ({
            id: `nih-${i}-${k}`,
            text: question,
            document: `nih-${i}`,
            answer,
            hasHeadings: hasHeadings(i),
          })),
    ),
  };
}
