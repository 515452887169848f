/**
 * Texts to the rows of tokens that ColBERT's network takes (Khattab and Zaharia 2020, arXiv:2004.12832, §3.2): prompt,
 * prefix token, cutting, query expansion, and the tokens whose vectors count. As in PyLate's and Sentence Transformers'
 * encode.
 */
import { ConfigError } from "../errors.ts";
import type { OnCut } from "../tokenizers/cut.ts";
import type { PairTokenizer } from "../tokenizers/pairs.ts";
import type { ColbertSettings } from "./colbert-settings.ts";

export interface Row {
  readonly ids: readonly number[];
  /** 1 where other tokens look. */
  readonly mask: readonly number[];
  /** Tokens whose vectors are given. */
  readonly kept: readonly boolean[];
}

export interface ColbertReader {
  /** Queries filled up: the added tokens are scored, whether or not others look at them. */
  queries(texts: readonly string[], onCut?: OnCut): Row[];
  documents(texts: readonly string[], onCut?: OnCut): Row[];
}

/** `where` names the model in errors. @throws ConfigError where the tokenizer lacks a token of the settings. */
export function colbertReader(where: string, tokenizer: PairTokenizer, settings: ColbertSettings): ColbertReader {
  const token = (name: string, content: string): number | undefined => {
    if (content === "") return undefined;
    const id = tokenizer.idOf(content);
    if (id !== undefined) return id;
    throw new ConfigError(
      `${where}: expected the ${name} ${JSON.stringify(content)} among the tokenizer's tokens, got none`,
      { hint: "the tokenizer's files are not those that the model was trained with" },
    );
  };
  const prefixes = {
    query: token("prefix", settings.queryPrefix),
    document: token("prefix", settings.documentPrefix),
  };
  const expansion = token("expansion token", settings.expansionToken ?? "") ?? tokenizer.special.mask;
  const missing = settings.skipsUnknown ? tokenizer.special.unk : undefined;
  const idsOf = (words: readonly string[]): Set<number> =>
    new Set(words.map((word) => tokenizer.idOf(word) ?? missing).filter((id) => id !== undefined));
  const skipped = { query: idsOf(settings.querySkiplist), document: idsOf(settings.skiplist) };
  const prepare = (text: string): string => (settings.lowerCase ? text.trim().toLowerCase() : text.trim());
  const filled = settings.expandsQueries ? (settings.expansionLength ?? settings.queryLength) : 0;

  return {
    queries(texts, onCut) {
      const prompted = texts.map((text) => prepare(settings.queryPrompt + text));
      const rows = tokensOf(tokenizer, prompted, prefixes.query, settings.queryLength, telling(texts, onCut));
      return rows.map((ids) => {
        const added = Math.max(0, filled - ids.length);
        if (added > 0 && expansion === undefined) {
          throw new ConfigError("query expansion: expected a tokenizer with a mask token, got one without");
        }
        const all = [...ids, ...Array<number>(added).fill(expansion ?? 0)];
        const mask = all.map((_, i) => (i < ids.length || settings.attendsToExpansion ? 1 : 0));
        return { ids: all, mask, kept: all.map((id) => !skipped.query.has(id)) };
      });
    },
    documents(texts, onCut) {
      const prompted = texts.map((text) => prepare(settings.documentPrompt + text));
      const limit = settings.documentLength;
      const rows = tokensOf(tokenizer, prompted, prefixes.document, limit, telling(texts, onCut));
      return rows.map((ids) => ({
        ids,
        mask: ids.map(() => 1),
        kept: ids.map((id) => !skipped.document.has(id)),
      }));
    },
  };
}

const telling =
  (texts: readonly string[], onCut: OnCut | undefined) =>
  (places: readonly number[], limit: number): void =>
    onCut?.({ texts: places.map((i) => texts[i]!), of: texts.length, limit });

/** [CLS], the prefix, the text's tokens, [SEP]; at most `limit` of them. */
function tokensOf(
  tokenizer: PairTokenizer,
  texts: readonly string[],
  prefix: number | undefined,
  limit: number,
  tell: (places: readonly number[], limit: number) => void,
): number[][] {
  const room = prefix === undefined ? limit : limit - 1;
  const cut: number[] = [];
  const rows = texts.map((text, i) => {
    let ids = tokenizer.encodeIds(text);
    if (ids.length > room) {
      cut.push(i);
      ids = [...ids.slice(0, room - 1), ids.at(-1)!];
    }
    return prefix === undefined ? ids : [ids[0]!, prefix, ...ids.slice(1)];
  });
  tell(cut, limit);
  return rows;
}
