import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, describe, expect, test } from "vitest";
import { tarOf, zipOf } from "../../../test/support/archives.ts";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { collect, outline, readAs } from "../../../test/support/sources.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { sourceKinds } from "./list.ts";
import { listSourceFiles, readSourceFile, readSources } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-open-"));
afterAll(() => rmSync(folder, { recursive: true }));

const trial = (nct: string, text = "Text."): string =>
  `<clinical_study><id_info><nct_id>${nct}</nct_id></id_info><brief_summary><textblock>${text}</textblock></brief_summary></clinical_study>`;
const members = [
  { name: "b/2.xml", bytes: trial("NCT2") },
  { name: "../../escape.txt", bytes: "Out." },
  { name: "/etc/1.jsonl", bytes: '{"id":"x","text":"One."}\n{"id":"x","text":"Two."}\n' },
  { name: "empty.xml", bytes: "" },
  { name: "picture.png", bytes: "\u0089PNG\r\n" },
  { name: "c.txt.gz", bytes: gzipSync("Packed.") },
  { name: "inner.zip", bytes: "PK" },
  { name: "__MACOSX/._2.xml", bytes: "junk" },
  { name: "z.xml", bytes: trial("NCT9") },
];
const known = sourceKinds.map(({ name }) => name).join(", ");

/** A table as Parquet. */
function parquetOf(texts: readonly string[]): Buffer {
  const ids = texts.map((_, i) => String(i));
  const column = (name: string, data: readonly string[]) => ({ name, data: [...data], type: "STRING" as const });
  return Buffer.from(parquetWriteBuffer({ columnData: [column("id", ids), column("text", texts)] }));
}

describe("Parquet in archives, and compressed", () => {
  const copies = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("galen-parquet-"));
  const bytes = parquetOf(["One.", "Two."]);
  const members = [
    { name: "a.parquet", bytes },
    { name: "b.parquet", bytes: bytes.subarray(0, 60) },
    { name: "c.parquet.gz", bytes: gzipSync(bytes) },
  ];

  test.each([
    ["p.zip", zipOf(members)],
    ["p.tar", tarOf(members)],
    ["p.tar.gz", gzipSync(tarOf(members))],
  ])("of %s is read by way of a file that is gone then", async (name, archive) => {
    const before = copies();
    const { documents, failures } = await readAs(name, archive);
    const own = (member: string): string[] => ["0", "1"].map((id) => `${name}/${member}:${id}`);
    expect(documents.map(({ id }) => id)).toEqual([...own("a.parquet"), ...own("c.parquet.gz")]);
    expect(failures).toEqual([expect.stringContaining(`${name}/b.parquet: `)]);
    expect(copies()).toEqual(before);
  });

  test("of a file that is compressed itself, too, and no more of it than a member may have", async () => {
    expect((await readAs("q.parquet.gz", gzipSync(bytes))).documents).toHaveLength(2);
    const before = copies();
    const { documents, failures } = await readAs("q.parquet.gz", gzipSync(bytes), { memberBytes: 100 });
    expect([documents, failures]).toEqual([
      [],
      [expect.stringContaining("expected Parquet of at most 100 bytes, got more")],
    ]);
    expect(copies()).toEqual(before);
  });
});

describe("archives", () => {
  test.each([
    ["a.zip", zipOf(members)],
    [
      "a.tar",
      tarOf([
        { name: "b/", bytes: "", type: "5" },
        { name: "link.txt", bytes: "", type: "2", link: "/etc/passwd" },
        ...members,
      ]),
    ],
    ["a.tar.gz", gzipSync(tarOf(members))],
    ["a.tgz", gzipSync(tarOf(members))],
    ["a.tar.zst", zstdCompressSync(tarOf(members))],
  ])("of %s members are read in their order, whatever they are called", async (name, bytes) => {
    const { documents, failures } = await readAs(name, bytes);
    expect(documents.map((one) => [one.id, outline(one)[0]])).toEqual([
      ["nct:NCT2", "[abstract] Brief Summary: Text."],
      [`${name}/../../escape.txt`, "[text] : Out."],
      [`${name}//etc/1.jsonl:x`, "[text] : One."],
      [`${name}//etc/1.jsonl:x#2`, "[text] : Two."],
      [`${name}/c.txt.gz`, "[text] : Packed."],
      ["nct:NCT9", "[abstract] Brief Summary: Text."],
    ]);
    expect(failures).toEqual([
      `${name}/empty.xml: expected a document, got an empty file`,
      `${name}/picture.png: expected a file of a known kind (${known}), got "\uFFFDPNG\\r\\n"`.replace(
        "\uFFFD",
        "\u0089",
      ),
      `${name}/inner.zip: expected no archive in an archive, got one: unpack it`,
    ]);
  });

  test("a member that expands beyond the limit is a failure, and the rest goes on", async () => {
    const bomb = Buffer.alloc(5 << 20, "<a>");
    const rest = { name: "z.xml", bytes: trial("NCT9") };
    for (const [name, bytes] of [
      ["declared.zip", zipOf([{ name: "bomb.xml", bytes: bomb }, rest])],
      ["bomb.tar.gz", gzipSync(tarOf([{ name: "bomb.xml", bytes: bomb }, rest]))],
      ["inner.tar", tarOf([{ name: "bomb.xml.gz", bytes: gzipSync(bomb) }, rest])],
      // The directory tells less than what there is.
      ["lying.zip", zipOf([{ name: "bomb.xml", bytes: bomb, size: 1000 }, rest])],
    ] as const) {
      const { documents, failures } = await readAs(name, bytes, { memberBytes: 1 << 20, kind: "clinicaltrials" });
      expect([name, documents.map(({ id }) => id)]).toEqual([name, ["nct:NCT9"]]);
      expect(failures.some((failure) => failure.startsWith(`${name}/bomb.xml`))).toBe(true);
      expect(failures.join("\n")).toMatch(/at most 1048576 bytes|too many bytes in the stream/);
    }
  });

  test("an encrypted, a damaged and an overlapping member are failures", async () => {
    const rest = { name: "z.xml", bytes: trial("NCT9") };
    const { documents, failures } = await readAs(
      "a.zip",
      zipOf([{ name: "secret.txt", bytes: "x", flags: 0x801 }, { name: "bad.txt", bytes: "text", crc: 1 }, rest]),
    );
    expect(documents.map(({ id }) => id)).toEqual(["nct:NCT9"]);
    expect(failures).toEqual([
      "a.zip/secret.txt: expected a member that can be read, got an encrypted one",
      "a.zip/bad.txt: cannot be read on: the member's checksum is not that of its contents",
    ]);
    const one = zipOf([
      { name: "a.txt", bytes: Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 7919) % 251)) },
    ]);
    const entry = one.subarray(one.length - 22 - 51, one.length - 22);
    const end = Buffer.from(one.subarray(-22));
    end.writeUInt16LE(3, 8);
    end.writeUInt16LE(3, 10);
    end.writeUInt32LE(3 * entry.length, 12);
    const overlapping = Buffer.concat([one.subarray(0, -22), entry, entry, end]);
    expect((await readAs("o.zip", overlapping)).failures.at(-1)).toContain("expected members that do not overlap");
  });

  test.each([
    ["cut.zip", zipOf(members).subarray(0, 300)],
    ["cut.tar", tarOf(members).subarray(0, 700)],
    ["cut.tar.gz", gzipSync(tarOf(members)).subarray(0, 200)],
    ["no.tar", Buffer.alloc(2048, "x")],
    ["no.zip", Buffer.alloc(2048, "x")],
  ])("%s is a failure that says so", async (name, bytes) => {
    const { failures } = await readAs(name, bytes);
    expect(failures.at(-1)).toMatch(new RegExp(`^${name}(?:/\\S+)?: cannot be read on: `));
  });
});

describe("files and folders", () => {
  const deep = join(folder, "in", "deep");
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, "b.txt"), "B.");
  writeFileSync(join(folder, "in", "a.xml.gz"), gzipSync(trial("NCT1")));
  writeFileSync(join(folder, "in", ".hidden.txt"), "Hidden.");
  writeFileSync(join(folder, "other.txt"), "Other.");
  symlinkSync(join(folder, "other.txt"), join(folder, "in", "link.txt"));

  test("are read in order, hidden ones and links in folders are not", async () => {
    const inputs = [join(folder, "other.txt"), join(folder, "in"), join(folder, "other.txt")];
    const files = await listSourceFiles(inputs);
    expect(files.map(({ name, source, isWhole }) => [name, source, isWhole])).toEqual([
      ["other.txt", "other.txt", false],
      ["a.xml.gz", "in", false],
      ["deep/b.txt", "in", false],
      ["#2:other.txt", "other.txt", false],
    ]);
    const { documents } = await collect(readSources(inputs, { source: "s" }));
    expect(documents.map(({ id, source, kind }) => [id, source, kind])).toEqual([
      ["s/other.txt", "s", "text"],
      ["nct:NCT1", "s", "clinicaltrials"],
      ["s/deep/b.txt", "s", "text"],
      ["s/#2:other.txt", "s", "text"],
    ]);
    const [, second] = files;
    expect((await collect(readSourceFile(second!))).documents.map(({ id }) => id)).toEqual(["nct:NCT1"]);
  });

  test("show their bytes as they are on disk, once, whatever they hold", async () => {
    for (const [name, bytes] of [
      ["x.zip", zipOf(members)],
      ["x.tar.gz", gzipSync(tarOf(members))],
      ["x.bin", Buffer.alloc(300_000, "?")],
      ["x.xml.gz", gzipSync(trial("NCT1"))],
    ] as const) {
      const hash = createHash("sha256");
      await readAs(name, bytes, { onRaw: (chunk) => void hash.update(chunk) });
      expect([name, hash.digest("hex")]).toEqual([name, createHash("sha256").update(bytes).digest("hex")]);
    }
  });

  test("of a damaged compressed file give what comes before the damage", async () => {
    const packed = gzipSync(
      Array.from({ length: 5000 }, (_, i) => `{"id":${i},"text":"t${(i * 7919) % 5000}"}`).join("\n"),
    );
    const { documents, failures } = await readAs("r.jsonl.gz", packed.subarray(0, packed.length >> 1));
    expect(documents.length).toBeGreaterThan(1000);
    expect(failures).toEqual(["r.jsonl.gz: cannot be read on: the gzip file is cut short"]);
    expect((await readAs("r.xml.gz", Buffer.alloc(100, "x"))).failures).toEqual([
      "r.xml.gz: cannot be read on: expected gzip data, got other bytes",
    ]);
  });

  test("that do not exist, and kinds that do not, are errors", async () => {
    await expect(collect(readSources([join(folder, "nowhere")]))).rejects.toThrow(DataError);
    await expect(collect(readSources([folder], { kind: "word" }))).rejects.toThrow(ConfigError);
    await expect(collect(readSources([folder], { kind: "word" }))).rejects.toThrow(
      `kind: expected ${known}, got "word"`,
    );
  });

  test("stop when they are told to", async () => {
    const control = new AbortController();
    control.abort(new Error("enough"));
    await expect(collect(readSources([join(folder, "in")], { signal: control.signal }))).rejects.toThrow("enough");
  });

  test.runIf(hasShared("data"))("of real data are of the kinds that they are", async () => {
    for (const [path, kind] of [
      ["pubmed-xml", "pubmed"],
      ["pmc-jats", "jats"],
      ["clinicaltrials-xml", "clinicaltrials"],
    ] as const) {
      const { documents, failures } = await collect(readSources([shared(`data/${path}`)]));
      expect([path, failures, new Set(documents.map((one) => one.kind))]).toEqual([path, [], new Set([kind])]);
    }
  });
});
