import { createHash, randomBytes } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { readDataset, readManifest } from "../dataset.ts";
import { importPubMed, type ImportProgress } from "./import.ts";
import type { PubMedFilters } from "./filter.ts";
import { readPubMed } from "./reader.ts";
import type { PubMedRecord, ReadFailure } from "./record.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-import-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Sample {
  title?: string;
  version?: number;
  abstract?: string;
  year?: string;
  extra?: string;
  language?: string;
  type?: string;
}

function article(pmid: number, sample: Sample = {}): string {
  const { title = `Title ${pmid}`, version = 1, abstract = "Text.", year = "2015", extra = "" } = sample;
  return `<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="${version}">${pmid}</PMID><Article><Journal>
    <JournalIssue><PubDate><Year>${year}</Year></PubDate></JournalIssue></Journal><ArticleTitle>${title}</ArticleTitle>
    <Abstract><AbstractText>${abstract}</AbstractText></Abstract><Language>${sample.language ?? "eng"}</Language>
    <PublicationTypeList><PublicationType UI="D016428">${sample.type ?? "Journal Article"}</PublicationType>
    </PublicationTypeList></Article>${extra}</MedlineCitation></PubmedArticle>`;
}

function withdrawal(...pmids: string[]): string {
  return `<DeleteCitation>${pmids.join("")}</DeleteCitation>`;
}

async function source(name: string, records: string[]): Promise<string> {
  const path = join(folder, name);
  const xml = `<?xml version="1.0"?>\n<PubmedArticleSet>\n${records.join("\n")}\n</PubmedArticleSet>\n`;
  await writeFile(path, name.endsWith(".gz") ? gzipSync(xml) : xml);
  return path;
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function failuresOf(output: string): Promise<ReadFailure[]> {
  const text = await readFile(join(output, "failures.jsonl"), "utf8");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as ReadFailure]));
}

async function rows(output: string): Promise<PubMedRecord[]> {
  return await collect(readDataset(output));
}

describe("importPubMed", () => {
  test("writes what the reader reads, field by field", async () => {
    const rich = `<ChemicalList><Chemical><RegistryNumber>0</RegistryNumber><NameOfSubstance UI="D1">Ü</NameOfSubstance>
      </Chemical></ChemicalList><MeshHeadingList><MeshHeading><DescriptorName UI="D2" MajorTopicYN="Y">M</DescriptorName>
      <QualifierName UI="Q1" MajorTopicYN="N">q</QualifierName></MeshHeading></MeshHeadingList>`;
    const input = await source("a.xml", [article(1, { extra: rich }), article(2, { abstract: "" })]);
    const output = join(folder, "set");
    const manifest = await importPubMed({ inputs: [input], output });
    expect(await readManifest(output)).toEqual(manifest);
    const events = await collect(readPubMed([input]));
    expect(await rows(output)).toEqual(events.flatMap((event) => (event.kind === "record" ? [event.record] : [])));
    expect(manifest).toMatchObject({ records: 2, counts: { read: 2, filtered: 0, failures: 0 } });
    expect(manifest.filled).toMatchObject({ pmid: 2, abstract: 1, mesh: 1, doi: 0 });
    expect(manifest.sources[0]).toMatchObject({ name: "a.xml", records: 2, failures: 0 });
    expect(manifest.sources[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test("takes what is no UTF-8 for one failure, of any size, and reads the other files", async () => {
    const noise = randomBytes(3 << 20);
    const utf16 = join(folder, "a.xml.gz");
    await writeFile(utf16, gzipSync(Buffer.concat([Buffer.from("\uFEFF<?xml?>", "utf16le"), noise]), { level: 1 }));
    const nul = join(folder, "b.xml.gz");
    await writeFile(nul, gzipSync(Buffer.concat([Buffer.alloc(4), noise]), { level: 1 }));
    const output = join(folder, "set");
    const { records, sources } = await importPubMed({
      inputs: [utf16, nul, await source("c.xml", [article(1)])],
      output,
    });
    expect(records).toBe(1);
    expect((await failuresOf(output)).map(({ message }) => message)).toEqual([
      "expected UTF-8, got UTF-16",
      "expected UTF-8, got UTF-16",
    ]);
    // The whole files' hashes, of which only the beginning was read.
    for (const [i, path] of [utf16, nul].entries()) {
      expect(sources[i]!.sha256).toBe(
        createHash("sha256")
          .update(await readFile(path))
          .digest("hex"),
      );
    }
    await setTimeout(20);
  });

  test("keeps every record before the damage of a gzip file, and says what is damaged", async () => {
    const path = await source(
      "a.xml.gz",
      Array.from({ length: 2000 }, (_, i) => article(i + 1)),
    );
    const bytes = await readFile(path);
    bytes[bytes.length - 6]! ^= 1;
    await writeFile(path, bytes);
    const output = join(folder, "set");
    const failures: ReadFailure[] = [];
    const manifest = await importPubMed({ inputs: [path], output, onFailure: (failure) => failures.push(failure) });
    expect(manifest).toMatchObject({ records: 2000, counts: { failures: 1 } });
    expect(failures).toEqual(await failuresOf(output));
    expect(failures[0]?.message).toBe("cannot be read on: the gzip file's checksum is not that of its contents");
  });

  test("refuses inputs of which nothing can be read, and leaves nothing behind", async () => {
    const pdf = join(folder, "paper.pdf");
    await writeFile(pdf, "%PDF-1.7\n%âãÏÓ\n1 0 obj <</Type /Catalog>> endobj\n");
    const empty = join(folder, "empty.xml");
    await writeFile(empty, "");
    const packed = join(folder, "packed.xml.gz");
    await writeFile(packed, "PK\u0003\u0004 no gzip");
    for (const [path, said] of [
      [pdf, 'paper.pdf at byte 0: expected PubMed records, got "%PDF'],
      [empty, "empty.xml at byte 0: expected PubMed XML, got no records"],
      [packed, "expected gzip data, got other bytes"],
    ] as const) {
      const importing = importPubMed({ inputs: [path], output: join(folder, "set") });
      await expect(importing).rejects.toThrow(`${path}: expected PubMed XML, got none that can be read`);
      await expect(importPubMed({ inputs: [path], output: join(folder, "set") })).rejects.toThrow(said);
    }
    expect((await readdir(folder)).sort()).toEqual(["empty.xml", "packed.xml.gz", "paper.pdf"]);
  });

  test("refuses identifiers that no record could have", async () => {
    const wanted = {
      inputs: [await source("a.xml", [article(1)])],
      output: join(folder, "set"),
      filters: { ids: ["1", "PMC7"] },
    };
    await expect(importPubMed(wanted)).rejects.toThrow(
      'filters.ids: expected PMIDs such as 123 or PMID:123, got "PMC7"',
    );
  });

  test("reads back only the columns asked for", async () => {
    const output = join(folder, "set");
    await importPubMed({ inputs: [await source("a.xml", [article(1)])], output });
    expect(await collect(readDataset(output, { columns: ["title", "mesh"] }))).toEqual([
      { title: "Title 1", mesh: [] },
    ]);
    const wrong = readDataset(output, { columns: ["nothing" as "title"] });
    await expect(collect(wrong)).rejects.toThrow(/expected columns among/);
  });

  test("gives the same bytes for any number of workers, in many small groups and files", async () => {
    const records = Array.from({ length: 300 }, (_, index) => article(index + 1, { abstract: "word ".repeat(index) }));
    const inputs = [
      await source("a.xml", records.slice(0, 200)),
      await source("b.xml.gz", [...records.slice(150), "<x/>"]),
    ];
    const made: Record<string, string>[] = [];
    for (const workers of [0, 1, 2]) {
      const output = join(folder, `set${workers}`);
      await importPubMed({ inputs, output, workers, groupBytes: 10_000, shardBytes: 20_000 });
      const files: Record<string, string> = {};
      for (const entry of await readdir(output, { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) files[entry.name] = (await readFile(join(entry.parentPath, entry.name))).toString("base64");
      }
      made.push(files);
    }
    expect(Object.keys(made[0]!).length).toBeGreaterThan(4);
    expect(made[1]).toEqual(made[0]);
    expect(made[2]).toEqual(made[0]);
    const { records: kept, counts, filled } = await readManifest(join(folder, "set2"));
    expect({ kept, counts }).toEqual({
      kept: 300,
      counts: { read: 350, filtered: 0, superseded: 50, deleted: 0, failures: 1 },
    });
    expect(filled).toMatchObject({ pmid: 300, abstract: 299 });
    expect((await rows(join(folder, "set2"))).map(({ pmid }) => pmid).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 300 }, (_, index) => index + 1),
    );
  });

  test("keeps the newest version, the last update, and nothing that was withdrawn before its end", async () => {
    const inputs = [
      await source("1.xml", [
        article(1, { title: "old" }),
        article(2, { version: 2, title: "second version" }),
        article(2, { version: 1, title: "first version" }),
        article(3),
        article(4),
        article(5, { version: 2 }),
      ]),
      await source("2.xml", [
        article(1, { title: "new" }),
        withdrawal("<PMID>3</PMID>", '<PMID Version="1">4</PMID>', '<PMID Version="1">5</PMID>', "<PMID>99</PMID>"),
        article(4, { title: "again" }),
      ]),
    ];
    const output = join(folder, "set");
    const manifest = await importPubMed({ inputs, output });
    expect((await rows(output)).map(({ pmid, title }) => [pmid, title])).toEqual([
      [2, "second version"],
      [5, "Title 5"],
      [1, "new"],
      [4, "again"],
    ]);
    expect(manifest.counts).toEqual({ read: 8, filtered: 0, superseded: 2, deleted: 2, failures: 0 });
    expect(manifest.filled["title"]).toBe(4);
  });

  test("an update that no longer passes the filters takes the record out", async () => {
    const inputs = [await source("1.xml", [article(1, { title: "aspirin" })]), await source("2.xml", [article(1)])];
    const manifest = await importPubMed({ inputs, output: join(folder, "set"), filters: { keywords: ["Aspirin"] } });
    expect(manifest).toMatchObject({ records: 0, counts: { filtered: 1, superseded: 1 } });
    expect(await rows(join(folder, "set"))).toEqual([]);
  });

  test.each<[string, PubMedFilters, number[]]>([
    ["any of ids, codes and keywords", { ids: ["1"], codes: ["D9"], keywords: ["FINDME"] }, [1, 2, 3]],
    ["dates", { from: "2016", to: "2016-06" }, [2]],
    ["languages", { languages: ["fre"] }, [3]],
    ["publication types", { publicationTypes: ["review"] }, [4]],
    ["an abstract", { hasAbstract: false }, [4]],
    ["lists and restrictions together", { ids: ["1", "2"], languages: ["eng"], from: "2016" }, [2]],
    ["identifiers as they are cited", { ids: ["PMID:1", "pmid: 2", " PMID 3 "] }, [1, 2, 3]],
    ["an empty list", { ids: [] }, []],
  ])("filters by %s", async (_, filters, expected) => {
    const mesh = `<MeshHeadingList><MeshHeading><DescriptorName UI="D9">x</DescriptorName></MeshHeading></MeshHeadingList>`;
    const input = await source("a.xml", [
      article(1),
      article(2, { extra: mesh, year: "2016" }),
      article(3, { title: "Please findme", language: "fre" }),
      article(4, { type: "Review", abstract: "" }),
    ]);
    const output = join(folder, "set");
    const manifest = await importPubMed({ inputs: [input], output, filters });
    expect((await rows(output)).map(({ pmid }) => pmid)).toEqual(expected);
    expect(manifest.filters).toEqual(filters);
  });
});

describe("bad input", () => {
  test("costs only the bad record, and says which file and byte", async () => {
    const bad = article(2).replace("</ArticleTitle>", "&bomb;</ArticleTitle>");
    const bytes = Buffer.from(`<PubmedArticleSet>${article(1)}${bad}${article(3, { title: "\u00e9" })}${article(4)}`);
    bytes[bytes.indexOf(0xc3)] = 0xff;
    await writeFile(join(folder, "a.xml"), bytes);
    const output = join(folder, "set");
    const manifest = await importPubMed({ inputs: [join(folder, "a.xml")], output });
    expect((await rows(output)).map(({ pmid }) => pmid)).toEqual([1, 4]);
    const failures = await failuresOf(output);
    expect(manifest.counts.failures).toBe(3);
    expect(failures.map(({ message }) => message).toSorted()).toEqual([
      expect.stringMatching(/expected UTF-8/),
      expect.stringMatching(/cut short/),
      expect.stringMatching(/undefined entity/),
    ]);
    const entity = failures.find(({ message }) => message.includes("entity"));
    expect(entity).toMatchObject({ source: "a.xml", offset: bytes.indexOf(bad) });
  });

  test("declared entities are never expanded or fetched", async () => {
    const doctype = `<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>`;
    const records = [article(1, { title: "&b;" }), article(2, { title: "&c;" }), article(3)];
    await writeFile(
      join(folder, "a.xml"),
      `<?xml version="1.0"?>${doctype}<PubmedArticleSet>${records.join("")}</PubmedArticleSet>`,
    );
    const output = join(folder, "set");
    const manifest = await importPubMed({ inputs: [join(folder, "a.xml")], output });
    expect(manifest).toMatchObject({ records: 1, counts: { failures: 2 } });
  });

  test("a damaged gzip file gives its records up to the damage", async () => {
    const path = await source(
      "a.xml.gz",
      Array.from({ length: 2000 }, (_, index) => article(index + 1)),
    );
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length >> 1));
    await writeFile(join(folder, "b.xml.gz"), "not gzip");
    const output = join(folder, "set");
    const manifest = await importPubMed({ inputs: [path, join(folder, "b.xml.gz")], output });
    expect(manifest.records).toBeGreaterThan(100);
    expect(manifest.records).toBeLessThan(2000);
    const failures = await failuresOf(output);
    expect(
      failures.filter(({ message }) => message.includes("cannot be read on")).map((failure) => failure.source),
    ).toEqual(["a.xml.gz", "b.xml.gz"]);
  });

  test("a missing input, a folder without XML and a wrong date are errors", async () => {
    const output = join(folder, "set");
    await expect(importPubMed({ inputs: [join(folder, "none")], output })).rejects.toThrow(/expected a file or folder/);
    await expect(importPubMed({ inputs: [folder], output })).rejects.toThrow(/expected .xml/);
    const input = await source("a.xml", [article(1)]);
    await expect(importPubMed({ inputs: [input], output, filters: { from: "1/2" } })).rejects.toThrow(/filters.from/);
    expect(await readdir(folder)).toEqual(["a.xml"]);
  });

  test("links in a folder are not followed", async () => {
    const outside = await mkdtemp(join(tmpdir(), "galen-outside-"));
    try {
      await mkdir(join(folder, "in/deep"), { recursive: true });
      await source("in/deep/a.xml", [article(1)]);
      await writeFile(join(outside, "secret.xml"), `<PubmedArticleSet>${article(2)}</PubmedArticleSet>`);
      await symlink(join(outside, "secret.xml"), join(folder, "in/b.xml"));
      await symlink(outside, join(folder, "in/c"));
      const manifest = await importPubMed({ inputs: [join(folder, "in")], output: join(folder, "set") });
      expect(manifest.sources.map(({ name }) => name)).toEqual(["deep/a.xml"]);
    } finally {
      await rm(outside, { recursive: true });
    }
  });
});

describe("the output folder", () => {
  test.each([0, 2])("is absent after an import that was stopped (%i workers)", async (workers) => {
    const input = await source(
      "a.xml",
      Array.from({ length: 500 }, (_, index) => article(index + 1)),
    );
    const controller = new AbortController();
    const output = join(folder, "set");
    const run = importPubMed({
      inputs: [input],
      output,
      workers,
      groupBytes: 5000,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("stopped")),
    });
    await expect(run).rejects.toThrow("stopped");
    expect(await readdir(folder)).toEqual(["a.xml"]);
  });

  test("is not replaced unless asked, and then only where it is a dataset", async () => {
    const inputs = [await source("a.xml", [article(1)])];
    const output = join(folder, "set");
    await mkdir(output);
    await importPubMed({ inputs, output });
    await expect(importPubMed({ inputs, output })).rejects.toThrow(/does not exist yet/);
    await importPubMed({ inputs, output, overwrite: true, filters: { ids: ["5"] } });
    expect(await rows(output)).toEqual([]);
    await mkdir(join(folder, "other"));
    await writeFile(join(folder, "other/letter.txt"), "mine");
    const other = importPubMed({ inputs, output: join(folder, "other"), overwrite: true });
    await expect(other).rejects.toThrow(/manifest/);
    expect(existsSync(join(folder, "other/letter.txt"))).toBe(true);
  });

  test("that was about to be replaced by an import which was killed has its name back", async () => {
    const inputs = [await source("a.xml", [article(1)])];
    const output = join(folder, "exchanged");
    await importPubMed({ inputs, output });
    // As between the two renames: the old one aside, the new one not yet in its place.
    await rename(output, `${output}.1a2b3c4d.tmp.old`);
    await mkdir(`${output}.1a2b3c4d.tmp`);
    await expect(importPubMed({ inputs, output })).rejects.toThrow(/does not exist yet/);
    expect(await rows(output)).toHaveLength(1);
    expect((await readdir(folder)).filter((name) => name.startsWith("exchanged."))).toEqual([]);
  });

  test("progress ends at the total", async () => {
    const seen: ImportProgress[] = [];
    const input = await source(
      "a.xml.gz",
      Array.from({ length: 100 }, (_, index) => article(index + 1)),
    );
    const output = join(folder, "set");
    await importPubMed({ inputs: [input], output, groupBytes: 5000, onProgress: (event) => seen.push(event) });
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toMatchObject({ records: 100, bytesDone: seen[0]!.bytesTotal, secondsLeft: 0 });
  });
});

test("memory stays flat on a large file", async () => {
  const path = join(folder, "large.xml");
  const file = createWriteStream(path);
  file.write("<PubmedArticleSet>\n");
  const abstract = "A sentence of an abstract. ".repeat(200);
  for (let pmid = 1; pmid <= 10_000; pmid++) {
    if (!file.write(article(pmid, { abstract }))) await once(file, "drain");
  }
  file.end("</PubmedArticleSet>");
  await once(file, "finish");
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const held: number[] = [];
  let count = 0;
  for await (const event of readPubMed([path])) {
    if (event.kind === "record" && ++count % 2000 === 0) {
      collectGarbage();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      held.push(heapUsed + arrayBuffers);
    }
  }
  expect(count).toBe(10_000);
  // 55 MB of XML lie between the samples; a few blocks of 4 MB are under way.
  expect(Math.max(...held) - held[0]!).toBeLessThan(30e6);
});

describe.skipIf(!hasShared("data/pubmed-xml"))("real exports", () => {
  test("import whole, without a failure", async () => {
    const output = join(folder, "set");
    const manifest = await importPubMed({ inputs: [shared("data/pubmed-xml")], output, workers: 2 });
    expect(manifest).toMatchObject({ records: 314, counts: { read: 314, superseded: 0, failures: 0 } });
    expect(manifest.filled).toMatchObject({
      title: 314,
      abstract: 279,
      published: 314,
      medlineDate: 21,
      doi: 214,
      pmcid: 77,
      mesh: 305,
      references: 73,
    });
    const records = await rows(output);
    expect(records.flatMap(({ mesh }) => mesh)).toHaveLength(1622 + 1292 + 1394);
    expect(records.flatMap(({ chemicals }) => chemicals)).toHaveLength(752 + 20 + 315);
    expect(records.flatMap(({ authors }) => authors)).toHaveLength(828 + 584 + 589);
    expect(records.flatMap(({ references }) => references)).toHaveLength(1925 + 362);
  });
});
