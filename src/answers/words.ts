/** Words of questions and sentences, as the index cuts them. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
export const stemOf = (word: string): string => word.replace(/(?<=..)(?:ies|es|s|ing|ed|e|y)$/, "");
