/** eld has types for its first door alone. */
declare module "eld/medium" {
  export const eld: {
    detect(text: string): { readonly language: string; getScores(): Readonly<Record<string, number>> };
  };
}
