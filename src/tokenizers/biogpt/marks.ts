/**
 * BioGPT's special and added tokens as a directory's configuration files have them (transformers' BioGptTokenizer), and
 * those files. Flags of a special token count where it is among the added tokens; where a file only names it, they do
 * not, as in transformers' tokenizers in Python.
 */
import { fieldError, type JsonObject } from "../json.ts";
import { addedTokensDecoder, readAddedFiles, type Role, withNamedTokens } from "../added-files.ts";
import type { AddedToken } from "../added-tokens.ts";
import type { TokenizerFiles } from "../tokenizer.ts";

const defaults = { bos: "<s>", eos: "</s>", unk: "<unk>", sep: "</s>", pad: "<pad>" } as const;

/** The tokens of BioGPT's roles, and of others that a configuration names. */
type Roles = { readonly [role in Role]?: string } & { readonly [role in keyof typeof defaults]: string };

export interface BioGptMarks {
  readonly roles: Roles;
  /** By id; special tokens too. */
  readonly added: readonly AddedToken[];
  /** Contents of the tokens that decoding can leave out. */
  readonly special: readonly string[];
  /** tokenizer_config.json as it was read, without the roles; unknown fields are kept for writing. */
  readonly settings: JsonObject;
}

/** fairseq's four special tokens and nothing else. */
export function plainMarks(ids: ReadonlyMap<string, number>): BioGptMarks {
  return marksOf({ tokens: [], file: "", named: [], roles: {}, settings: {} }, ids);
}

/** Whether the tokens are fairseq's four, under their names, as they are without configuration. */
export function isUsual({ added, roles }: BioGptMarks): boolean {
  const names = new Set<string>(Object.values(defaults));
  const isDefault = (role: string): boolean => roles[role as Role] === defaults[role as keyof typeof defaults];
  return Object.keys(roles).every(isDefault) && added.every((token) => names.has(token.content) && isUnflagged(token));
}

/** Whether a configuration says anything that its absence does not. */
export function isSaid(marks: BioGptMarks): boolean {
  return !isUsual(marks) || Object.keys(marks.settings).some((field) => field !== "tokenizer_class");
}

/** What the configuration among `files` adds to `pieces`, and the pieces with it. @throws DataError for bad files. */
export function addedIn(
  files: TokenizerFiles,
  where: string,
  pieces: readonly string[],
): { marks: BioGptMarks; pieces: string[] } {
  const inFiles = readAddedFiles(files, where);
  const marks = marksOf(inFiles, new Map(pieces.map((piece, id) => [piece, id])));
  const all = [...pieces];
  for (const { id, content } of marks.added) {
    if (id < all.length && all[id] === content) continue;
    if (id !== all.length) {
      const expected = `${all.length}, the next behind the vocabulary`;
      throw fieldError(inFiles.file, `id of ${JSON.stringify(content)}`, expected, id);
    }
    all.push(content);
  }
  return { marks, pieces: all };
}

function marksOf(inFiles: ReturnType<typeof readAddedFiles>, ids: ReadonlyMap<string, number>): BioGptMarks {
  const roles = { ...defaults, ...inFiles.roles };
  const own = Object.values(defaults).filter((content) => ids.has(content) && Object.values(roles).includes(content));
  const special = [...new Set([...inFiles.named.map(({ content }) => content), ...own])];
  const named = special.map((content) => ({ content, flags: {} }));
  const added = withNamedTokens(inFiles, named, ids).sort((a, b) => a.id - b.id);
  return { roles, added, special, settings: inFiles.settings };
}

function isUnflagged({ special, normalized, lstrip, rstrip, singleWord }: AddedToken): boolean {
  return special && !normalized && !lstrip && !rstrip && !singleWord;
}

/** The files from which `addedIn` makes the same marks; `own`: how many pieces vocab.json has. */
export function configurationFiles(marks: BioGptMarks | undefined, own: number): [name: string, contents: string][] {
  const { roles = defaults, added = [], settings = {} } = marks ?? {};
  const { bos, eos, pad, sep, unk, ...others } = roles as Roles;
  const named = { bos, eos, pad, sep, unk, ...others };
  const special = Object.fromEntries(Object.entries(named).map(([role, content]) => [`${role}_token`, content]));
  const behind = added.filter(({ id }) => id >= own);
  const isListed = behind.length > 0 || added.some((token) => !isUnflagged(token));
  const listed = isListed || settings["added_tokens_decoder"] !== undefined;
  const config = {
    ...settings,
    ...special,
    ...(listed ? { added_tokens_decoder: addedTokensDecoder(added) } : {}),
    tokenizer_class: "BioGptTokenizer",
  };
  const files: [string, string][] = [
    ["tokenizer_config.json", `${JSON.stringify(config, null, 2)}\n`],
    ["special_tokens_map.json", `${JSON.stringify(special, null, 2)}\n`],
  ];
  if (behind.length === 0) return files;
  const json = Object.fromEntries(behind.map(({ content, id }) => [content, id]));
  return [...files, ["added_tokens.json", `${JSON.stringify(json, null, 2)}\n`]];
}
