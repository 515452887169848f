/** How texts are cut into words, by queries, highlights and stores alike. */

/** Words of a text in lower case: runs of letters and digits. */
export function cutWords(text: string): string[] {
  return (
    text
      .normalize("NFC")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

const stops = new Set(
  "a an and are as at be but by can did do does for from had has have how if in into is it its no not of on or such that the their then there these they this to was were what when where which who why will with".split(
    " ",
  ),
);

/** Whether a word stands everywhere and says nothing by itself. */
export const isStopWord = (word: string): boolean => stops.has(word);

export interface PlacedWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** Words with their places in the text. */
export function placesOfWords(text: string): PlacedWord[] {
  return [...text.matchAll(/[\p{L}\p{N}]+/gu)].map(({ 0: word, index }) => ({
    word: word.toLowerCase(),
    start: index,
    end: index + word.length,
  }));
}

/** What forms of a word have in common. */
export const stemOf = (word: string): string => word.replace(/(?<=\w{3})(?:es|s)$/, "");
