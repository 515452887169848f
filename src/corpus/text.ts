/** A document's parts as one text. */

/** Title and text joined by a space, as BioGPT's pre-training and BEIR's benchmarks join them; no space without a title. */
export function titleAndText({ title, text }: { readonly title: string; readonly text: string }): string {
  return title === "" ? text : `${title} ${text}`;
}

/** Words as perplexities count them: separated by white space. */
export function countWords(text: string): number {
  return text.split(/\s+/).length;
}
