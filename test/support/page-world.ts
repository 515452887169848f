/** What a page is tested on: the sample records and hostile ones in an index, a dataset, a review, runs; and a browser. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { importPubMed, readDataset } from "../../src/corpus/index.ts";
import { createExactStore } from "../../src/search/exact.ts";
import { searchStore } from "../../src/search/over-store.ts";
import type { IndexedDocument, SearchIndex } from "../../src/search/types.ts";
import {
  createApp,
  createMetrics,
  createModels,
  defaultLimits,
  knownModels,
  type RunningServer,
  startServer,
} from "../../src/serve/index.ts";
import { indexedDocument } from "./memory-index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const chromiumPath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Undefined where there is none: a test says that it skips. */
export const hasBrowser: boolean = existsSync(chromiumPath);
export const openBrowser = (...more: string[]): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", ...more] });

export const script = `<script>document.title="broken"</script><img src=x onerror="document.title='broken'">`;
export const hostileId = `9"'<b>/../&?#%`;
export const retractedTitle = "Beta blockers raise mortality in heart failure";

const own: readonly IndexedDocument[] = [
  indexedDocument({
    id: hostileId,
    title: `Scripts in titles ${script}`,
    abstract: [
      [`RESULTS ${script}`, `Zanubrutinib was compared with placebo. ${script} Zanubrutinib halted the disease.`],
    ],
    more: {
      authors: [script],
      journal: script,
      types: [script],
      year: 2021,
      date: "2021",
      mesh: [script],
      fields: { note: script },
    },
  }),
  indexedDocument({
    id: "990000001",
    title: retractedTitle,
    abstract: "Beta blockers increased mortality in heart failure by a factor of ten.",
    more: {
      retracted: true,
      year: 2018,
      date: "2018",
      types: ["Journal Article", "Retracted Publication"],
      journal: "Invented Letters",
    },
  }),
];

/** The sample's records as an index has them. */
async function sampleDocuments(dataset: string): Promise<IndexedDocument[]> {
  const documents: IndexedDocument[] = [];
  for await (const record of readDataset(dataset)) {
    const { pmid, title, abstract, sections, authors, journal, journalAbbreviation, volume, issue, pages } = record;
    const parts = sections.length > 0 ? sections.map((one) => [one.label, one.text] as const) : abstract;
    documents.push(
      indexedDocument({
        id: String(pmid),
        title: title ?? "",
        abstract: parts,
        more: {
          journal,
          journalAbbreviation,
          volume,
          issue,
          pages,
          year: record.year,
          date: record.published,
          doi: record.doi,
          pmcid: record.pmcid,
          language: record.languages[0] ?? null,
          authors: authors.flatMap(({ last, initials }) => (last === null ? [] : [`${last} ${initials ?? ""}`])),
          types: record.publicationTypes.map(({ name }) => name),
          mesh: record.mesh.map(({ name }) => name),
          source: "pubmed-sample.xml",
        },
      }),
    );
  }
  return documents;
}

async function memory(documents: readonly IndexedDocument[]): Promise<SearchIndex> {
  const passagesOf = ({ sections }: IndexedDocument): { start: number; end: number }[] =>
    sections.map(({ start, end }) => ({ start, end }));
  const stored = documents.map((document) => ({ document, passages: passagesOf(document) }));
  const store = createExactStore();
  await store.put(stored);
  return searchStore({ folder: "memory", store });
}

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** A run of extraction over some documents, as its files are. */
export function writeMined(folder: string): void {
  const texts = [
    ["m1", "Aspirin and warfarin", "Aspirin increased the effect of warfarin. Statins did not interact with aspirin."],
    ["m2", `Names ${script}`, `Metformin ${script} was given with insulin.`],
    ["m3", "A trial without drugs", "Patients walked for an hour every day."],
  ] as const;
  const mention = (name: string, text: string): object => ({
    name,
    at: { field: "text", start: text.indexOf(name), end: text.indexOf(name) + name.length, text: name },
  });
  const triple = (i: number, head: string, tail: string, relation: string): object => ({
    document: texts[i]![0],
    head: mention(head, texts[i]![2]),
    tail: mention(tail, texts[i]![2]),
    relation,
    sentences: [texts[i]![2].split(". ")[0]],
    score: -0.2,
    tripleScore: -0.12,
    task: "ddi",
    decoder: {},
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "documents.jsonl"), lines(texts.map(([id, title, text]) => ({ id, title, text }))));
  writeFileSync(
    join(folder, "triples.jsonl"),
    lines([
      triple(0, "Aspirin", "warfarin", "effect"),
      triple(0, "Statins", "aspirin", "effect"),
      triple(1, "Metformin", "insulin", "mechanism"),
    ]),
  );
}

export interface PageWorld extends AsyncDisposable {
  readonly url: string;
  readonly index: SearchIndex;
  readonly server: RunningServer;
}

export interface WorldOptions {
  readonly token?: string;
  readonly models?: readonly string[];
}

/** A server over `folder`, in which the dataset is made; runs and reviews are the caller's. */
export async function pageWorld(folder: string, { token, models: given = [] }: WorldOptions = {}): Promise<PageWorld> {
  const corpus = join(folder, "corpus");
  const broken = join(folder, "broken.xml");
  writeFileSync(broken, "<PubmedArticleSet><PubmedArticle><MedlineCitation/></PubmedArticle></PubmedArticleSet>");
  await importPubMed({ inputs: [join(root, "samples/pubmed-sample.xml"), broken], output: corpus, workers: 0 });
  const index = await memory([...own, ...(await sampleDocuments(corpus))]);
  const stopping = new AbortController();
  const ending = new AbortController();
  const limits = { ...defaultLimits, stopTime: 200 };
  const metrics = createMetrics();
  const models = createModels(await knownModels(given), { limits, metrics });
  const app = createApp({
    index,
    models,
    folders: { runs: join(folder, "runs"), reviews: join(folder, "reviews"), corpus },
    guard: { token, hosts: [] },
    limits,
    metrics,
    stopping: stopping.signal,
    signal: ending.signal,
    log: (error) => console.error(error),
  });
  mkdirSync(join(folder, "runs"), { recursive: true });
  mkdirSync(join(folder, "reviews"), { recursive: true });
  const options = { host: "127.0.0.1", port: 0, limits };
  const server = await startServer(app, { ...options, abort: () => ending.abort() });
  return {
    url: server.url,
    index,
    server,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await server.stop();
      await models[Symbol.asyncDispose]();
    },
  };
}
