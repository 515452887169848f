/** BioGPT's tokenizer with the place of every token in the text, which no other implementation gives. */
import { loadTokenizer, readDocuments } from "galen";
import { trainBioGptTokenizer } from "galen/tokenizers";

async function* texts(): AsyncGenerator<string> {
  for await (const { text } of readDocuments(["samples/pubmed-sample.xml"])) yield text;
}
// A directory with a tokenizer (BioGPT's, or one that was trained here), or else one learned from the sample.
const folder = process.argv[2];
const tokenizer =
  folder === undefined ? await trainBioGptTokenizer(texts(), { vocabSize: 2048 }) : await loadTokenizer(folder);
const text = "Naloxone reverses opioid overdose within 2-3 min (0.4 mg i.v.).";
const { ids, tokens, offsets } = tokenizer.encode(text);
for (const [i, token] of tokens.entries()) {
  console.log(String(ids[i]).padStart(6), token.padEnd(16), JSON.stringify(text.slice(...offsets[i]!)));
}
console.log(tokenizer.decode(ids, { skipSpecialTokens: true }));
