/**
 * A pipeline of curation: sources, stages and a mixture, as one small file in YAML or TypeScript. Each stage has a fingerprint
 * of its settings and of the files that these name; finished work lies under it and those of the stages before (`run.ts`), so
 * that a changed stage is done again with what depends on it, and nothing else.
 */
import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { readText } from "../io/files.ts";
import { fingerprintOf, pathFingerprint } from "../io/fingerprint.ts";
import { checked } from "../schema.ts";
import { didYouMean } from "../suggest.ts";
import { datasheetQuestions } from "./report/datasheet.ts";
import type { AnyStage } from "./stage.ts";
import { stages as known } from "./stages/list.ts";

const questionNames = Object.keys(datasheetQuestions) as (keyof typeof datasheetQuestions)[];
const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/);

const sourceSchema = z.strictObject({
  /** Files and folders, or patterns of them ("oa/PMC0*.tar.gz", in order of names); updates behind what they update. */
  paths: z.union([z.string().transform((path) => [path]), z.array(z.string()).min(1)]),
  /** A reader's name; by default each file's is found by its contents. */
  kind: z.string().optional(),
  columns: z.record(z.string(), z.string()).optional(),
  /** Of articles in JATS: types of sub-articles that are documents too, or "all". */
  subArticles: z.array(z.string()).optional(),
  /** Where the files do not say. */
  licence: z.string().optional(),
  language: z.string().optional(),
  /** How often its documents come in the result; 0.5 is every second one. */
  repeat: z.number().nonnegative().max(100).optional(),
  /** Why notes of this source may be trained on as they are: "de-identified by ..., report of ...". */
  deidentified: z.string().min(1).optional(),
});

const scope = z.array(z.string()).min(1);
const stageEntry = z.union([
  z.string(),
  z.record(z.string(), z.unknown()),
  z.strictObject({
    stage: z.custom<AnyStage>((value) => typeof value === "object" && value !== null && "name" in value),
    settings: z.unknown().optional(),
    for: scope.optional(),
  }),
]);

const pipelineSchema = z.strictObject({
  seed: z.int().nonnegative().default(0),
  sources: z.record(name, sourceSchema),
  stages: z.array(stageEntry).default([]),
  mixture: z
    .strictObject({
      /** Words of the whole; without it each source comes as often as its `repeat` says. */
      words: z.number().positive().optional(),
      /** Shares of the words by source; 1 in all after scaling. */
      weights: z.record(z.string(), z.number().nonnegative()),
      /** A source comes at most so often, however large its share. */
      mostRepeats: z.number().positive().max(100).default(4),
    })
    .optional(),
  /** Answers for the report's datasheet. */
  datasheet: z.partialRecord(z.enum(questionNames), z.string()).default({}),
  tokens: z.strictObject({ tokenizer: z.string(), heldOut: z.number().min(0).max(0.5).default(0.01) }).optional(),
});

/** As a file says it. */
export type PipelineFile = z.input<typeof pipelineSchema>;
export type SourceEntry = z.output<typeof sourceSchema>;

/** A stage with its settings, where it stands. */
export interface PlannedStage {
  readonly stage: AnyStage;
  readonly settings: unknown;
  /** Sources and kinds that it is for; absent: all. */
  readonly for: readonly string[] | undefined;
  /** Of the stage, its settings and the files that they name; not of what comes before it. */
  readonly fingerprint: string;
}

export interface CorpusPipeline {
  readonly file: string;
  /** Which paths are relative to. */
  readonly folder: string;
  readonly seed: number;
  readonly sources: Readonly<Record<string, SourceEntry>>;
  readonly stages: readonly PlannedStage[];
  readonly mixture: z.output<typeof pipelineSchema>["mixture"];
  readonly datasheet: z.output<typeof pipelineSchema>["datasheet"];
  readonly tokens: z.output<typeof pipelineSchema>["tokens"];
}

/**
 * Reads a pipeline. A file in TypeScript or JavaScript is a module that exports one as `default`, or as a function that makes it.
 * @throws ConfigError that names the field; DataError where the file cannot be read.
 */
export async function readPipeline(file: string): Promise<CorpusPipeline> {
  return planPipeline(await pipelineValue(file), file, dirname(resolve(file)));
}

/** What a pipeline's file says, as it stands. @throws as `readPipeline`. */
export async function pipelineValue(file: string): Promise<unknown> {
  if (/^\.[mc]?[jt]s$/.test(extname(file))) {
    const module = (await import(pathToFileURL(resolve(file)).href).catch((cause: unknown) => {
      throw new ConfigError(`${file}: expected a pipeline's module, got ${(cause as Error).message}`, { cause });
    })) as { default?: unknown };
    const made: unknown = typeof module.default === "function" ? await module.default() : module.default;
    if (made === undefined) throw new ConfigError(`${file}: expected a pipeline as default export, got none`);
    return made;
  }
  const text = await readText(file, 'name a pipeline\'s file, such as "corpus.yaml"');
  const { parse } = await import("yaml");
  try {
    // YAML's own bombs: no more aliases than a person would write.
    return parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new ConfigError(`${file}: expected YAML, got ${(cause as Error).message.split("\n")[0]}`, { cause });
  }
}

/** A pipeline of a value, such as a program makes. @throws ConfigError that names the field. */
export async function planPipeline(value: unknown, file: string, folder: string): Promise<CorpusPipeline> {
  const { seed, sources, stages, mixture, datasheet, tokens } = checked(pipelineSchema, value, file);
  if (Object.keys(sources).length === 0) throw new ConfigError(`${file}: sources: expected at least one, got none`);
  checkNames(file, "mixture.weights", Object.keys(mixture?.weights ?? {}), Object.keys(sources));
  const planned: PlannedStage[] = [];
  for (const [i, entry] of stages.entries()) {
    const where = `${file}: stages.${i}`;
    const { stage, settings, only } = stageOf(entry, where);
    const checkedSettings = checked(stage.settings, settings ?? {}, `${where}: ${stage.name}`);
    const files = await Promise.all(
      (stage.files?.(checkedSettings) ?? []).map((path) => pathFingerprint(resolve(folder, path))),
    );
    const scopeOf = only ?? stage.kinds;
    const own = JSON.stringify([stage.name, stage.version, checkedSettings, scopeOf ?? null, files]);
    planned.push({ stage, settings: checkedSettings, for: scopeOf, fingerprint: fingerprintOf(own) });
  }
  return { file, folder, seed, sources, stages: planned, mixture, datasheet, tokens };
}

function checkNames(file: string, field: string, given: readonly string[], names: readonly string[]): void {
  for (const one of given) {
    if (names.includes(one)) continue;
    throw new ConfigError(`${file}: ${field}: expected sources among ${names.join(", ")}, got "${one}"`);
  }
}

function stageOf(
  entry: z.output<typeof stageEntry>,
  where: string,
): { stage: AnyStage; settings: unknown; only: readonly string[] | undefined } {
  if (typeof entry === "object" && "stage" in entry) {
    const { stage, settings, for: only } = entry as { stage: AnyStage; settings?: unknown; for?: readonly string[] };
    return { stage, settings, only };
  }
  const keys = typeof entry === "string" ? [entry] : Object.keys(entry);
  if (keys.length !== 1) throw new ConfigError(`${where}: expected one stage, got ${keys.join(", ")}`);
  const stage = known.find((one) => one.name === keys[0]);
  if (stage === undefined) {
    const names = known.map((one) => one.name);
    throw new ConfigError(`${where}: expected a stage, got "${keys[0]}"`, {
      hint: `stages are ${names.join(", ")}`,
      ...didYouMean(keys[0]!, names),
    });
  }
  const given = typeof entry === "string" ? {} : ((entry as Record<string, unknown>)[keys[0]!] ?? {});
  const { for: only, ...settings } = checked(z.looseObject({ for: scope.optional() }), given, where);
  return { stage, settings, only };
}
