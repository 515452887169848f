/** Tokens that a folder's configuration adds: ids and texts as transformers has them, before and after writing. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import { DataError } from "../errors.ts";
import { loadTokenizer } from "./files.ts";
import { readTokenizer } from "./registry.ts";
import type { Tokenizer } from "./tokenizer.ts";

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly size: number;
  readonly rows: readonly (readonly [text: string, ids: number[], decoded: string, withoutSpecial: string])[];
}
const goldens = JSON.parse(readFileSync("test/goldens/added-tokens.json", "utf8")) as Record<"biogpt" | "bert", Case[]>;

describe.each(["biogpt", "bert"] as const)("%s", (kind) => {
  const read = (files: ReadonlyMap<string, string>): Tokenizer =>
    readTokenizer(
      new Map([
        [
          "config.json",
          JSON.stringify({ tokenizer_class: { biogpt: "BioGptTokenizer", bert: "BertTokenizer" }[kind] }),
        ],
        ...files,
      ]),
    );

  test.each(goldens[kind])(
    "gives transformers' ids and texts with $name, and after writing",
    ({ files, size, rows }) => {
      const first = read(new Map(Object.entries(files)));
      for (const tokenizer of [first, read(first.files())]) {
        expect(tokenizer.vocabSize).toBe(size);
        for (const [text, ids, decoded, withoutSpecial] of rows) {
          expect(tokenizer.encodeIds(text), text).toEqual(ids);
          const encoding = tokenizer.encode(text);
          expect(encoding.ids).toEqual(ids);
          expect(tokenizer.decode(ids), text).toBe(decoded);
          expect(tokenizer.decode(ids, { skipSpecialTokens: true }), text).toBe(withoutSpecial);
          encoding.tokens.forEach((token, i) => {
            const part = text.slice(...encoding.offsets[i]!);
            if (token === "<drug>") expect(part.trim().toLowerCase()).toMatch(/<drug>$/);
          });
        }
      }
      expect(read(first.files()).files()).toEqual(first.files());
    },
  );
});

const vocabulary = {
  "vocab.json": '{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"a":4,"b</w>":5,"ab</w>":6}',
  "merges.txt": "a b</w>\n",
};

test.each<[name: string, json: object, message: RegExp]>([
  ["tokenizer_config.json", { added_tokens_decoder: { 9: { content: "<q>" } } }, /id of "<q>": expected 7, the next/],
  ["tokenizer_config.json", { added_tokens_decoder: { 7: { content: "a" } } }, /"a": expected id 4, as in the voc/],
  ["tokenizer_config.json", { added_tokens_decoder: { x: { content: "<q>" } } }, /\[x\]\.id: expected a whole number/],
  ["tokenizer_config.json", { added_tokens_decoder: [], mask_token: 3 }, /mask_token: expected a token, got 3/],
  ["tokenizer_config.json", { split_special_tokens: true }, /split_special_tokens: expected false, got true/],
  ["tokenizer_config.json", { unk_token: "<none>" }, /vocab\.json: expected the special token <none>/],
  [
    "special_tokens_map.json",
    { additional_special_tokens: [""] },
    /additional_special_tokens: expected a token, got ""/,
  ],
  ["added_tokens.json", { "<q>": "7" }, /<q>\.id: expected a whole number from 0, got "7"/],
  ["added_tokens.json", { "<q>": 8 }, /id of "<q>": expected 7/],
])("%s with %j is refused", (name, json, message) => {
  const read = (): Tokenizer =>
    readTokenizer(new Map(Object.entries({ ...vocabulary, [name]: JSON.stringify(json) })), "here/");
  expect(read).toThrow(DataError);
  expect(read).toThrow(message);
  expect(read).toThrow(/^here\//);
});

test("settings that a configuration has beside its tokens are kept, and fairseq's files refuse added tokens", () => {
  const configured = (config: object): Tokenizer =>
    readTokenizer(new Map(Object.entries({ ...vocabulary, "tokenizer_config.json": JSON.stringify(config) })));
  const long = configured({ model_max_length: 1024 });
  expect(JSON.parse(long.files().get("tokenizer_config.json")!)).toMatchObject({
    model_max_length: 1024,
    bos_token: "<s>",
  });
  expect([...long.foreign!["fairseq"]!().keys()]).toEqual(["dict.txt", "bpecodes"]);
  const more = configured({ additional_special_tokens: ["<q>"] });
  expect(() => more.foreign!["fairseq"]!()).toThrow(/expected fairseq's four special tokens alone, got .*"<q>"/);
  const grown = more.withRows!(["row1"]);
  const again = readTokenizer(grown.files());
  expect([grown.idOf("<q>"), grown.idOfWord("row1"), again.idOfWord("row1"), again.idOf("<q>")]).toEqual([7, 8, 8, 7]);
  expect(again.encodeIds("ab<q>row1")).toEqual(grown.encodeIds("ab<q>row1"));
});

test.skipIf(!hasShared("data/tokenizers/biogpt"))(
  "marks added to BioGPT's own vocabulary are found and decoded",
  async () => {
    const plain = await loadTokenizer(shared("data/tokenizers/biogpt"));
    const files = plain.files().set("added_tokens.json", JSON.stringify({ "<drug>": 42384, "</drug>": 42385 }));
    const tokenizer = readTokenizer(files);
    const ids = tokenizer.encodeIds("<drug> Aspirin </drug> inhibits COX-2.");
    expect(ids.slice(0, 5)).toEqual([2, 42384, 25254, 42385, 2310]); // transformers 5.3
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe("<drug>Aspirin </drug>inhibits COX-2.");
    expect(readTokenizer(tokenizer.files()).encodeIds("<drug> Aspirin </drug> inhibits COX-2.")).toEqual(ids);
  },
);

test("a hundred thousand added tokens are found as fast as a few", () => {
  const added = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`<entity ${i}>`, 7 + i]));
  const tokenizer = readTokenizer(
    new Map(Object.entries({ ...vocabulary, "added_tokens.json": JSON.stringify(added) })),
  );
  const text = Array.from({ length: 2000 }, (_, i) => `ab<entity ${37 * i}><entity x`).join(" ");
  const ids = tokenizer.encodeIds(text);
  expect(ids.filter((id) => id > 6)).toEqual(Array.from({ length: 2000 }, (_, i) => 7 + 37 * i));
});

test.each(["tokenizer.json", "tokenizer_config.json", "vocab.json", "added_tokens.json"])(
  "%s of any depth is refused",
  (name) => {
    const deep = `{"pre_tokenizer":${'{"pretokenizers":['.repeat(50_000)}${"]}".repeat(50_000)}}`;
    expect(() => readTokenizer(new Map(Object.entries({ ...vocabulary, [name]: deep })))).toThrow(DataError);
  },
);

test("white space without end beside a token costs no more than other text", () => {
  const files = goldens.bert.find(({ name }) => name === "lstrip")!.files;
  const tokenizer = readTokenizer(new Map(Object.entries(files)));
  const space = " ".repeat(300_000);
  expect(tokenizer.encodeIds(`${space}a${space}<drug>${space}b <drug>`)).toEqual(
    tokenizer.encodeIds("a <drug> b <drug>"),
  );
});
