/** Runs of letters and digits in lower case with a space around each: a name stands in a text as whole words where `includes` finds it. */
export function spacedWords(text: string): string {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return ` ${words.join(" ")} `;
}
