/** A decoder that continues a list of names: proposals, which mean nothing until documents have them. */
import { loadModel, type LoadOptions } from "../model.ts";
import { loadTokenizer } from "../tokenizers/files.ts";

export interface Continuer extends AsyncDisposable {
  /** The greedy continuation of a text and some that are drawn. */
  continue(
    text: string,
    options?: { readonly seed?: number; readonly signal?: AbortSignal | undefined },
  ): Promise<string[]>;
}

const [drawn, mostTokens] = [7, 48];

/** @throws ConfigError where the model is no decoder. */
export async function openContinuer(source: string, options: LoadOptions = {}): Promise<Continuer> {
  const model = await loadModel(source, options);
  const tokenizer = await loadTokenizer(source);
  return {
    async continue(text, { seed = 0, signal } = {}) {
      const prompt = tokenizer.encodeIds(text);
      const common = { ids: [prompt], maxNewTokens: mostTokens, signal } as const;
      const greedy = await model.generate({ ...common, repeatGuard: true });
      const some = await model.generate({ ...common, doSample: true, topP: 0.9, numReturnSequences: drawn, seed });
      return [...greedy.sequences, ...some.sequences].map((ids) =>
        tokenizer.decode(ids.slice(prompt.length), { skipSpecialTokens: true }),
      );
    },
    [Symbol.asyncDispose]: () => model.dispose(),
  };
}
