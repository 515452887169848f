/** Words of documents, each document counted once. */
import type { CorpusDocument } from "../../corpus/corpus-document.ts";

const words = new WeakMap<CorpusDocument, number>();

/** Words of a text, which white space parts. */
function wordsIn(text: string): number {
  let [sum, isWord] = [0, false];
  for (let i = 0; i < text.length; i++) {
    const isSpace = text.charCodeAt(i) <= 32;
    if (!isSpace && !isWord) sum += 1;
    isWord = !isSpace;
  }
  return sum;
}

/** Words of all that a document says; counted once. */
export function wordsOf(document: CorpusDocument): number {
  const known = words.get(document);
  if (known !== undefined) return known;
  let sum = wordsIn(document.title);
  for (const { title, text } of document.sections) sum += wordsIn(title) + wordsIn(text);
  words.set(document, sum);
  return sum;
}
