/**
 * PubMed XML to a dataset: `importPubMed` against pubmed_parser 0.5.1 in the same run on the same gzip files.
 *
 *     PEERS_PYTHON=python node bench/pubmed.ts [megabytes, default 300] [workers, default all processors]
 *
 * The input is the real exports under ../shared/data/pubmed-xml, repeated with new PMIDs. pubmed_parser runs on one
 * core and makes dictionaries only; the import also writes Parquet. Rates count uncompressed XML.
 */
import { execFileSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { importPubMed } from "../src/corpus/pubmed/import.ts";
import { shared } from "../test/support/shared.ts";

const megabytes = Number(process.argv[2] ?? 300);
const workers = Number(process.argv[3] ?? availableParallelism());
const fileBytes = 30e6;
/** Records in the 2026 baseline: about 39 million (NLM announces 38 to 40). */
const baselineRecords = 39e6;

const peerScript = `
import sys, time, json, pubmed_parser
full = dict(author_list=True, reference_list=True, parse_downto_mesh_subterms=True, nlm_category=True, year_info_only=False)
out = {}
for name, options in (("default", {}), ("full", full)):
    start, busy = time.perf_counter(), time.process_time()
    records = sum(1 for _ in pubmed_parser.parse_medline_xml(sys.argv[1], **options))
    out[name] = [records, time.perf_counter() - start, time.process_time() - busy]
print(json.dumps(out))
`;

async function realRecords(): Promise<string[]> {
  const folder = shared("data/pubmed-xml");
  const records: string[] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    records.push(
      ...((await readFile(join(folder, name), "utf8")).match(/<PubmedArticle>[^]*?<\/PubmedArticle>/g) ?? []),
    );
  }
  return records;
}

interface Input {
  paths: string[];
  records: number;
  /** Of each file, uncompressed. */
  bytes: number[];
}

async function generate(folder: string): Promise<Input> {
  const originals = await realRecords();
  const input: Input = { paths: [], records: 0, bytes: [] };
  for (let total = 0; total < megabytes * 1e6; total += input.bytes.at(-1)!) {
    let bytes = 0;
    const xml = function* (): Generator<string> {
      yield '<?xml version="1.0" encoding="utf-8"?>\n<PubmedArticleSet>\n';
      while (bytes < fileBytes) {
        for (const original of originals) {
          const record = `${original.replace(/(<PMID Version="1">)\d+/, `$1${++input.records}`)}\n`;
          bytes += Buffer.byteLength(record);
          yield record;
        }
      }
      yield "</PubmedArticleSet>\n";
    };
    const path = join(folder, `pubmed${String(input.paths.length).padStart(4, "0")}.xml.gz`);
    await pipeline(xml, createGzip({ level: 6 }), createWriteStream(path));
    input.paths.push(path);
    input.bytes.push(bytes);
  }
  return input;
}

function line(name: string, bytes: number, seconds: number): number {
  const rate = bytes / 1e6 / seconds;
  console.log(`${name.padEnd(46)} ${rate.toFixed(1).padStart(7)} MB/s  ${seconds.toFixed(2)} s`);
  return rate;
}

const folder = await mkdtemp(join(tmpdir(), "galen-bench-"));
try {
  const input = await generate(folder);
  const bytes = input.bytes.reduce((sum, size) => sum + size, 0);
  const perRecord = bytes / input.records;
  console.log(`${cpus()[0]?.model.trim()}, ${availableParallelism()} processors, Node ${process.versions.node}`);
  console.log(`${input.records} records, ${(bytes / 1e6).toFixed(0)} MB of XML in ${input.paths.length} gzip files`);
  const before = process.cpuUsage();
  const started = performance.now();
  const manifest = await importPubMed({ inputs: input.paths, output: join(folder, "dataset"), workers });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  if (manifest.records !== input.records) throw new Error(`expected ${input.records} records, got ${manifest.records}`);
  const rate = line(`importPubMed to Parquet, ${workers} workers`, bytes, seconds);
  const processors = (user + system) / 1e6 / seconds;
  console.log(`  processors busy ${processors.toFixed(2)}, ${(rate / processors).toFixed(1)} MB/s for each`);
  console.log(`  peak memory ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} MB`);
  const hours = (baselineRecords * perRecord) / 1e6 / rate / 3600;
  const size = `${((baselineRecords * perRecord) / 1e9).toFixed(0)} GB at ${perRecord.toFixed(0)} bytes a record here`;
  console.log(`  2026 baseline, ${baselineRecords / 1e6} M records, ${size}: ${hours.toFixed(1)} hours`);
  const python = process.env["PEERS_PYTHON"];
  if (python === undefined) console.log("pubmed_parser: skipped, PEERS_PYTHON names no Python that has it");
  else {
    const output = execFileSync(python, ["-c", peerScript, input.paths[0]!], { encoding: "utf8" });
    const figures = JSON.parse(output) as Record<string, [records: number, seconds: number, busy: number]>;
    for (const [name, [, peerSeconds, busy]] of Object.entries(figures)) {
      const peer = line(`pubmed_parser, ${name} fields, dictionaries, 1 core`, input.bytes[0]!, peerSeconds);
      const busyRate = input.bytes[0]! / 1e6 / busy;
      const busyRatio = (rate / processors / busyRate).toFixed(1);
      console.log(
        `  ratio ${(rate / peer).toFixed(1)}; of processor time, where others use the machine too: ${busyRatio}`,
      );
    }
  }
} finally {
  await rm(folder, { recursive: true });
}
