/** `index.json` of an index's folder: what keeps it, and what its vectors were made by. */
import * as z from "zod";

/** What to do where there is none, or an old one. */
export const noManifest =
  'name a folder that "galen index" made; one of an earlier version cuts words otherwise: index into another folder';

export const format = "galen-index";
export const storeKinds = ["exact", "lance"] as const;
export type StoreKind = (typeof storeKinds)[number];

/** What the vectors of an index are made by. */
export interface IndexModel {
  /** The folder or name that was given. */
  readonly source: string;
  /** Of its weights and settings: another model of the same name has another. */
  readonly fingerprint: string;
  /** Numbers in a vector. */
  readonly width: number;
}

export interface IndexManifest {
  readonly format: typeof format;
  /** 1: British and American spellings were different words. */
  readonly schemaVersion: 2;
  readonly store: StoreKind;
  /** null: words alone. */
  readonly model: IndexModel | null;
  /** Characters of a passage, about. */
  readonly passage: number;
}

export const manifestSchema: z.ZodType<IndexManifest> = z.object({
  format: z.literal(format),
  schemaVersion: z.literal(2),
  store: z.enum(storeKinds),
  model: z.object({ source: z.string(), fingerprint: z.string(), width: z.int().positive() }).nullable(),
  passage: z.int().positive(),
});
