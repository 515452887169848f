/** All kinds of source, in the order in which a file is offered to them: those that know their own before those that take much. */
import { ConfigError } from "../../errors.ts";
import { clinicalNotes } from "./clinical-notes.ts";
import { clinicaltrials } from "./clinicaltrials.ts";
import { html } from "./html.ts";
import { jats } from "./jats.ts";
import type { SourceKind } from "./kind.ts";
import { patents } from "./patents.ts";
import { pdf } from "./pdf.ts";
import { pubmed } from "./pubmed.ts";
import { rows } from "./rows.ts";
import { tei } from "./tei.ts";
import { text } from "./text.ts";

export const sourceKinds: readonly SourceKind[] = [
  pubmed,
  jats,
  clinicaltrials,
  patents,
  tei,
  pdf,
  html,
  clinicalNotes,
  rows,
  text,
];

const kindNames = (): string => sourceKinds.map(({ name }) => name).join(", ");

/** The kind of a name. @throws ConfigError where there is none. */
export function kindNamed(name: string): SourceKind {
  const kind = sourceKinds.find((one) => one.name === name);
  if (kind === undefined) throw new ConfigError(`kind: expected ${kindNames()}, got "${name}"`);
  return kind;
}

/** The first kind that takes a file for its own; else what is wrong with it. */
export function kindOf(head: string, name: string): SourceKind | string {
  if (head === "") return "expected a document, got an empty file";
  const kind = sourceKinds.find((one) => one.recognises(head, name));
  return kind ?? `expected a file of a known kind (${kindNames()}), got ${JSON.stringify(head.slice(0, 40))}`;
}
