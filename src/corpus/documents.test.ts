import { mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readDocuments, type Document } from "./documents.ts";
import { importPubMed } from "./pubmed/import.ts";
import type { ReadFailure } from "./pubmed/record.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-documents-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const xml = `<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>7</PMID><Article><ArticleTitle>T</ArticleTitle>
  <Abstract><AbstractText>Body.</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>`;

async function collect(paths: string[]): Promise<{ documents: Document[]; failures: ReadFailure[] }> {
  const failures: ReadFailure[] = [];
  const documents: Document[] = [];
  for await (const document of readDocuments(paths, { onFailure: (failure) => failures.push(failure) })) {
    documents.push(document);
  }
  return { documents, failures };
}

async function file(name: string, contents: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), contents);
  return join(folder, name);
}

describe("readDocuments", () => {
  test("reads XML, datasets, JSONL and text alike", async () => {
    const pubmed = await file("a.xml", xml);
    await importPubMed({ inputs: [pubmed], output: join(folder, "set") });
    const lines = await file("b.jsonl", '\uFEFF{"id":3,"title":"U","text":"One"}\r\n\n{"abstract":"Two","text":null}');
    const text = await file("c.txt", "Plain\ntext");
    const { documents, failures } = await collect([pubmed, join(folder, "set"), lines, text]);
    expect(failures).toEqual([]);
    expect(documents).toEqual([
      { id: "7", title: "T", text: "Body.", source: "a.xml" },
      { id: "7", title: "T", text: "Body.", source: "set" },
      { id: "3", title: "U", text: "One", source: "b.jsonl" },
      { id: "b.jsonl:3", title: "", text: "Two", source: "b.jsonl" },
      { id: "c.txt", title: "", text: "Plain\ntext", source: "c.txt" },
    ]);
  });

  test("is an error where there is no document at all, with the first failure", async () => {
    const bad = await file("a.jsonl", "no JSON\n");
    await expect(collect([bad])).rejects.toThrow(
      `${bad}: expected documents, got none that can be read (a.jsonl:1: expected a JSON object, got "no JSON")`,
    );
    const empty = await file("empty.jsonl", "\n");
    await expect(collect([empty, empty, empty, empty])).rejects.toThrow(/and 1 more: expected documents, got none$/);
    const { documents } = await collect([empty, await file("b.txt", "text")]);
    expect(documents).toHaveLength(1);
  });

  test("keeps the documents before the damage of a gzip file", async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `{"text":"line ${i}"}\n`).join("");
    const packed = zlib.gzipSync(lines);
    packed[packed.length - 6]! ^= 1;
    const { documents, failures } = await collect([await file("a.jsonl.gz", packed)]);
    expect(documents).toHaveLength(3000);
    expect(failures[0]!.message).toBe("cannot be read on: the gzip file's checksum is not that of its contents");
  });

  test("leaves out texts beyond the limit, and says which", async () => {
    const long = "a".repeat(2 ** 21 + 1);
    const abstract = xml.replace("Body.", long);
    const inputs = [
      await file("a.txt", long),
      await file("huge.txt", long.repeat(4)),
      await file("b.jsonl", JSON.stringify({ text: long })),
      await file("c.xml", abstract),
    ];
    const { documents, failures } = await collect([...inputs, await file("d.txt", long.slice(1))]);
    expect(documents.map(({ id }) => id)).toEqual(["d.txt"]);
    expect(
      failures.map(({ message }) => /^expected at most 2097152 characters in "(\w+)", got (\d+)/.exec(message)?.[1]),
    ).toEqual(["text", "text", "text", "abstract"]);
  });

  test("reads tables that are named, by the columns asked for", async () => {
    const table = await file("a.tsv", 'pmid\ttext of it\n7\tOne.\n8\t"Two\tlines"\n');
    const documents: Document[] = [];
    const columns = { id: "pmid", text: "text of it" };
    for await (const document of readDocuments([table], { columns })) documents.push(document);
    expect(documents.map(({ id, text }) => [id, text])).toEqual([
      ["7", "One."],
      ["8", "Two\tlines"],
    ]);
    await expect(collect([table])).rejects.toThrow(/a\.tsv:2: expected a string in "text" or "abstract"/);
    const cut = await file("b.csv", 'text\nwhole\n"cut');
    const { documents: whole, failures } = await collect([cut]);
    expect([whole.length, failures[0]?.message]).toEqual([
      1,
      expect.stringMatching(/line 3: expected a quote that closes/),
    ]);
  });

  test("ends after so many documents", async () => {
    const path = await file("a.jsonl", '{"text":"1"}\n{"text":"2"}\nno JSON');
    const texts: string[] = [];
    for await (const { text } of readDocuments([path], { limit: 2 })) texts.push(text);
    expect(texts).toEqual(["1", "2"]);
  });

  test("walks a folder in the order of its names", async () => {
    await mkdir(join(folder, "deep"));
    await file("deep/x.jsonl.gz", zlib.gzipSync('{"text":"zipped"}\n'));
    await file("z.txt", "last");
    await file("ignored.csv", "a,b");
    const { documents } = await collect([folder]);
    expect(documents.map(({ source }) => source)).toEqual(["deep/x.jsonl.gz", "z.txt"]);
  });

  test.skipIf(!("zstdCompressSync" in zlib))("reads zstd", async () => {
    const path = await file("a.jsonl.zst", zlib.zstdCompressSync('{"text":"packed"}'));
    expect((await collect([path])).documents).toMatchObject([{ text: "packed" }]);
  });

  test("reports bad lines with file and number, and goes on", async () => {
    const good = '{"text":"ok"}';
    const invalid = Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
    const rest = ["{", "[1]", '{"text":5}', '{"text":"a","title":1}', '{"text":"a","id":{}}', good].join("\n");
    const path = await file("a.jsonl", Buffer.concat([Buffer.from(`${good}\n`), invalid, Buffer.from(rest)]));
    const { documents, failures } = await collect([path]);
    expect(documents.map(({ id }) => id)).toEqual(["a.jsonl:1", "a.jsonl:8"]);
    expect(failures.map(({ source, line }) => [source, line])).toEqual(
      [2, 3, 4, 5, 6, 7].map((line) => ["a.jsonl", line]),
    );
  });

  test("reports a broken stream and text that is not UTF-8", async () => {
    const packed = zlib.gzipSync('{"text":"x"}\n'.repeat(9));
    const broken = await file("a.jsonl.gz", packed.subarray(0, -6));
    const latin = await file("b.txt", Buffer.from([0x63, 0xe9]));
    const { failures } = await collect([broken, latin]);
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringMatching(/cannot be read on/),
      expect.stringMatching(/expected UTF-8/),
    ]);
  });

  test("throws the first failure where nobody takes it", async () => {
    const path = await file("a.jsonl", "no");
    const read = async (): Promise<void> => {
      for await (const _ of readDocuments([path])) expect.unreachable();
    };
    await expect(read()).rejects.toThrow(/^a.jsonl:1: expected a JSON object/);
    await expect(collect([join(folder, "none.txt")])).rejects.toThrow(/expected a file or folder/);
    await expect(collect([await file("a.pdf", "")])).rejects.toThrow(/expected .xml/);
  });
});
