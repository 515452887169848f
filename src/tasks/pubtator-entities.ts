/**
 * Named entities from PubTator files, as their corpora publish them: BC5CDR's chemicals and diseases (Li et al. 2016) with
 * types, NCBI-disease (Doğan et al. 2014), its four kinds taken together. The IOB files (`ner-tasks.ts`) have their words
 * cut and their abstracts lost; here texts stand as they are, and places count. An example is a sentence; two that a
 * mention spans are one. Left out: which mentions are parts of a composite one, and identifiers.
 */
import { DataError } from "../errors.ts";
import { splitSentences } from "../corpus/sentences.ts";
import type { Range } from "../corpus/text.ts";
import { readText } from "../io/files.ts";
import type { DataFiles, Split } from "./benchmark.ts";
import { type EntityBenchmark, entityBenchmark, entitySentences } from "./entities.ts";
import type { EntityExample } from "./entity-files.ts";
import type { EntityPlace } from "./entity-places.ts";
import { offsetReader, offsetUnitOf } from "./offset-units.ts";
import { parsePubTator, type PubTatorDocument } from "./pubtator.ts";

interface Settings {
  readonly name: string;
  readonly description: string;
  /** Of the files' types; mentions of others are left out. */
  readonly types: Readonly<Record<string, string>>;
  readonly data: DataFiles;
}

/** Sentences, those joined that an entity spans: of title and abstract apart, but for that. */
function sentencesOf({ title, abstract }: PubTatorDocument, entities: readonly EntityPlace[]): Range[] {
  const shift = title.length + 1;
  const all = [
    ...splitSentences(title),
    ...splitSentences(abstract).map(([start, end]): Range => [start + shift, end + shift]),
  ];
  const joined: [number, number][] = [];
  for (const [start, end] of all) {
    const last = joined.at(-1);
    if (last !== undefined && entities.some((one) => one.start < start && one.end > last[1])) last[1] = end;
    else joined.push([start, end]);
  }
  return joined;
}

/** Marks are spelled in several ways: NCBI-disease has blanks for the quotes of one mention. */
function isSame(found: string, own: string): boolean {
  const [a, b] = [found, own].map((text) => text.replace(/[^\p{L}\p{N}]+/gu, ""));
  return a !== "" && a === b;
}

/** @throws DataError for a mention that does not stand where it says. */
function examplesOf(
  document: PubTatorDocument,
  types: Settings["types"],
  { path, unit }: { readonly path: string; readonly unit: Parameters<typeof offsetReader>[1] },
): EntityExample[] {
  const { id, title, abstract, mentions } = document;
  const text = `${title} ${abstract}`;
  const read = offsetReader(text, unit);
  const places = new Map<string, EntityPlace>();
  for (const { start: from, end: to, type, text: own } of mentions) {
    const known = Object.hasOwn(types, type) ? types[type] : undefined;
    if (known === undefined) continue;
    const [start, end] = [read(from), read(to)];
    const found = start === undefined || end === undefined ? "" : text.slice(start, end);
    if (!isSame(found, own)) {
      const got = `${JSON.stringify(found.slice(0, 60))} at ${from} to ${to}`;
      throw new DataError(`${path}: "${id}": expected ${JSON.stringify(own.slice(0, 60))}, got ${got}`);
    }
    places.set(`${start} ${end} ${known}`, { start: start!, end: end!, type: known });
  }
  const entities = [...places.values()];
  return sentencesOf(document, entities).map(([from, to], i) => ({
    id: `${id}-${i + 1}`,
    document: id,
    text: text.slice(from, to),
    gold: entities
      .filter(({ start, end }) => start >= from && end <= to)
      .map(({ start, end, type }) => ({ start: start - from, end: end - from, type })),
  }));
}

function pubTatorBenchmark({ name, description, types, data }: Settings): EntityBenchmark {
  const named = [...new Set(Object.values(types))];
  return {
    ...entityBenchmark({ name, version: "1", description, types: named, lowercase: false, ...entitySentences }),
    data,
    async read(folder, split: Split) {
      const [file] = data.files[split] ?? [];
      if (file === undefined) {
        throw new DataError(`${folder}: expected a split of ${name}, got ${split}, which it has none of`, {
          hint: `its splits are ${Object.keys(data.files).join(", ")}`,
        });
      }
      const path = `${folder}/${file.path}`;
      const documents = parsePubTator(await readText(path), path);
      const spans = documents.map(({ id, title, abstract, mentions }) => ({
        id,
        text: `${title} ${abstract}`,
        spans: mentions,
      }));
      const unit = offsetUnitOf(path, spans);
      return documents.flatMap((one) => examplesOf(one, types, { path, unit }));
    },
  };
}

const work = "free to use with its citation (NCBI, a work of the US government)";

export const pubTatorEntities: readonly EntityBenchmark[] = [
  pubTatorBenchmark({
    name: "ner-bc5cdr",
    description: "Chemicals and diseases named in a sentence (BC5CDR, PubTator)",
    types: { Chemical: "chemical", Disease: "disease" },
    data: {
      folder: "bc5cdr",
      files: {
        train: [
          {
            path: "CDR_TrainingSet.PubTator.txt",
            sha256: "7afcec134e3d4871e74b0398d92850d3c9ac94c0bdc780003f2d60184c012bd8",
          },
        ],
        valid: [
          {
            path: "CDR_DevelopmentSet.PubTator.txt",
            sha256: "9e18d8e700168887a7919e62f67ac2ce2357e3f409a48ee992906abdd80fe3e5",
          },
        ],
        test: [
          {
            path: "CDR_TestSet.PubTator.txt",
            sha256: "a3c48d5f35bdfce20c2371778abedc9fd24d1da092207072e5181ad53c8d0e2f",
          },
        ],
      },
      from: "Unpack CDR_Data.zip of https://biocreative.bioinformatics.udel.edu/tasks/biocreative-v/track-3-cdr/.",
      licence: work,
    },
  }),
  pubTatorBenchmark({
    name: "ner-ncbi-disease-pubtator",
    description: "Diseases named in a sentence (NCBI-disease, PubTator)",
    types: { SpecificDisease: "disease", DiseaseClass: "disease", Modifier: "disease", CompositeMention: "disease" },
    data: {
      folder: "ner/pubtator",
      files: {
        train: [
          {
            path: "NCBIdisease_TrainDev.PubTator",
            sha256: "849ddde0b6198c44f202b00250a5fc305dc11c3fa9fe1271db5684227ed5cca5",
          },
        ],
        test: [
          {
            path: "NCBIdisease_Test.PubTator",
            sha256: "45f3abeb52102e7ae0bf77341cc56c86900dde0bb5ac8308bbbf8b74a99b2308",
          },
        ],
      },
      from: "Get the files of data/pubtator in https://github.com/ncbi/AIONER (b883c1a); training and development are one file.",
      licence: work,
    },
  }),
];
