/**
 * The stage "deidentify": identifiers of patients out of clinical notes. Put it before all others, so that no report or hash of a
 * later stage holds one. Documents that went through carry `metadata.deidentified`.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { ConfigError } from "../../errors.ts";
import type { Tagger } from "../../labellers.ts";
import { identifierClasses } from "../deidentify/classes.ts";
import type { MapStage, OpenStage, Outcome, StageContext } from "../stage.ts";

const settings = z
  .strictObject({
    mode: z.enum(["surrogate", "mask"]),
    /** File with the secret, or "env:NAME": at least 16 bytes. */
    key: z.string().min(1).optional(),
    /** A model of "galen train tagger" with labels of identifiers, beside the rules. */
    tagger: z.string().min(1).optional(),
    classes: z.array(z.enum(identifierClasses)).min(1).optional(),
    /** "rules": names by rules alone, which find fewer of them and fewer other words. */
    names: z.enum(["rules", "model"]).default("model"),
    /** Words that are no identifiers here. */
    allow: z.array(z.string().min(1)).optional(),
    /** Names to be found wherever they stand: the staff's. */
    known: z.array(z.string().min(1)).optional(),
    /** Scores on labelled notes of the same house, of "galen evaluate deidentification --output FILE", for the report. */
    measured: z.string().min(1).optional(),
    /** "spans": where identifiers were, in metadata; "originals": what they were, too, for review inside the house. */
    report: z.enum(["none", "spans", "originals"]).default("none"),
  })
  .refine(({ mode, key }) => mode === "mask" || key !== undefined, {
    message: 'expected "key", a file or env:NAME with a secret, for mode "surrogate"',
    path: ["key"],
  });
export type DeidentifySettings = z.output<typeof settings>;

export const deidentifyStage: MapStage<DeidentifySettings> = {
  name: "deidentify",
  about: "replaces what identifies patients in clinical notes, by surrogates or by masks",
  version: 1,
  settings: settings as z.ZodType<DeidentifySettings>,
  rewrites: true,
  kinds: ["clinical-notes"],
  files: ({ key, measured }) =>
    [key, measured].filter((path) => path !== undefined && !path.startsWith("env:")) as string[],
  open,
};

async function open(chosen: DeidentifySettings, { folder }: StageContext): Promise<OpenStage> {
  const { deidentify, wholeOf } = await import("../deidentify/deidentify.ts");
  const key = chosen.key === undefined ? undefined : await readKey(chosen.key, folder);
  const tagger = chosen.tagger === undefined ? undefined : await openTagger(chosen.tagger, folder);
  const { mode, classes, names, allow, known, report } = chosen;
  return {
    async run(documents) {
      const { findByTagger } = await import("../deidentify/tagger.ts");
      const more = tagger === undefined ? undefined : await findByTagger(tagger, documents.map(wholeOf));
      return documents.map((document, i): Outcome => {
        const done = deidentify(document, { mode, key, classes, names, allow, known, report, more: more?.[i] });
        return { keep: true, document: done.document, changes: done.counts };
      });
    },
    close: async () => tagger?.[Symbol.asyncDispose](),
  };
}

async function readKey(named: string, folder: string): Promise<Uint8Array> {
  const where = named.startsWith("env:") ? named : resolve(folder, named);
  const text = named.startsWith("env:")
    ? process.env[named.slice(4)]
    : await readFile(where, "utf8").catch((cause: unknown) => {
        throw new ConfigError(`${where}: expected a file with a secret key, got ${(cause as Error).message}`, {
          cause,
        });
      });
  const key = Buffer.from((text ?? "").trim());
  if (key.length >= 16) return key;
  throw new ConfigError(`${where}: expected a key of at least 16 bytes, got ${key.length}`, {
    hint: "for instance: openssl rand -hex 32 > deidentify.key",
  });
}

async function openTagger(source: string, folder: string): Promise<Tagger> {
  const { loadTagger } = await import("../../labellers.ts");
  const { existsSync } = await import("node:fs");
  const { checkLabels } = await import("../deidentify/tagger.ts");
  const inFolder = resolve(folder, source);
  const tagger = await loadTagger(existsSync(inFolder) ? inFolder : source);
  try {
    checkLabels(tagger, source);
  } catch (error) {
    await tagger[Symbol.asyncDispose]();
    throw error;
  }
  return tagger;
}
