/**
 * JATS to documents of a corpus, against pubmed_parser (parse_pubmed_xml and parse_pubmed_paragraph, which is lxml) on one
 * core, in the same run: rounds take turns, medians are compared.
 *
 *     PEERS_PYTHON=python node bench/jats.ts [copies, default 5]
 *
 * The files are the real articles under ../shared/data/pmc-jats, repeated. pubmed_parser gives metadata and paragraphs; the
 * reader gives these, tables, captions, references and licences, too. Of a machine that others use, too, processor time says more.
 */
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSources } from "../src/corpus/sources/open.ts";
import { shared } from "../test/support/shared.ts";
import { machine, median, startPeer } from "./support/peer.ts";

const copies = Number(process.argv[2] ?? 5);
const rounds = 7;

interface Round {
  readonly seconds: number;
  /** Processor time. */
  readonly busy: number;
  readonly count: number;
}

async function ours(folder: string): Promise<Round> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  let count = 0;
  for await (const event of readSources([folder], { source: "pmc" })) {
    if (event.kind !== "document") throw new Error(JSON.stringify(event));
    for (const { kind, text } of event.document.sections) if (kind === "text") count += text.split("\n\n").length;
  }
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - start) / 1000, busy: (user + system) / 1e6, count };
}

function report(name: string, megabytes: number, results: readonly Round[]): { rate: number; busyRate: number } {
  const rate = megabytes / median(results.map(({ seconds }) => seconds));
  const busyRate = megabytes / median(results.map(({ busy }) => busy));
  const figures = `${rate.toFixed(1).padStart(7)} MB/s, ${busyRate.toFixed(1).padStart(6)} MB a second of processor time`;
  console.log(`${name.padEnd(34)} ${figures}; ${results[0]!.count} paragraphs`);
  return { rate, busyRate };
}

const folder = mkdtempSync(join(tmpdir(), "galen-bench-"));
try {
  const articles = readdirSync(shared("data/pmc-jats"));
  for (const name of articles) {
    for (let i = 0; i < copies; i++) copyFileSync(shared(`data/pmc-jats/${name}`), join(folder, `${i}-${name}`));
  }
  const megabytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1e6;
  console.log(`${machine()}; ${articles.length * copies} articles, ${megabytes.toFixed(1)} MB`);
  using peer = startPeer(new URL("jats.py", import.meta.url), folder);
  await peer?.ask();
  const [own, theirs]: Round[][] = [[], []];
  await ours(folder);
  for (let round = 0; round < rounds; round++) {
    own!.push(await ours(folder));
    if (peer !== undefined) theirs!.push(await peer.ask<Round>("read"));
  }
  const galen = report("Galen, JATS to documents", megabytes, own!);
  if (peer === undefined) console.log("pubmed_parser: skipped, PEERS_PYTHON names no Python that has it");
  else {
    const other = report("pubmed_parser 0.5.1, 1 core", megabytes, theirs!);
    console.log(
      `ratio ${(galen.rate / other.rate).toFixed(1)}; of processor time ${(galen.busyRate / other.busyRate).toFixed(1)}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
