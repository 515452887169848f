/** English words that stand everywhere and say nothing by themselves; stores keep them, for phrases. Our own choice. */
const stops = new Set(
  "a about after all also an and any are as at be been before between but by can could did do does during each for from had has have how if in into is it its may most no nor not of on or other should such than that the their them then there these they this those to using was we were what when where whether which while who why will with within without would you".split(
    " ",
  ),
);

/** Whether a word, in lower case, is one of them. */
export const isStopWord = (word: string): boolean => stops.has(word);
