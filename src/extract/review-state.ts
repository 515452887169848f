/**
 * What a curator decides, as plain data: which triples are right, how wrong ones should read, what the model missed. The
 * functions are put into the review page by their source text, so each stands by itself, without imports.
 */

export interface ReviewMention {
  readonly name: string;
  readonly at: { readonly field: "title" | "text"; readonly start: number; readonly end: number } | null;
}

export interface ReviewTriple {
  readonly head: ReviewMention;
  readonly tail: ReviewMention;
  readonly relation: string;
}

/** One decision, as it is saved: on a triple of the run, or on one that was missed (`original` null). */
export interface Decision extends ReviewTriple {
  readonly document: string;
  /** Names and relation as the run has them, where the curator changed them or not. */
  readonly original: { readonly head: string; readonly relation: string; readonly tail: string } | null;
  readonly decision: "accept" | "reject";
}

/** Decisions by document, then by the triple's key; a missed triple's key begins with "+". */
export type ReviewState = Record<string, Record<string, Decision>>;

/** A triple's key within its document. */
export function decisionKey({ original, head, relation, tail }: Omit<Decision, "document" | "decision">): string {
  return original === null
    ? `+${JSON.stringify([head.name, relation, tail.name])}`
    : JSON.stringify([original.head, original.relation, original.tail]);
}

/** Decisions of a saved file; what is no decision is left out. @throws Error where the text is no such file. */
export function parseDecisions(text: string): Decision[] {
  const json = JSON.parse(text) as { decisions?: unknown } | null;
  if (!Array.isArray(json?.decisions)) throw new Error('expected {"decisions": […]}, as "Save decisions" writes it');
  const mention = (value: unknown): ReviewMention | undefined => {
    const { name, at } = (value ?? {}) as { name?: unknown; at?: Record<string, unknown> | null };
    if (typeof name !== "string" || name.trim() === "") return undefined;
    const { field, start, end } = at ?? {};
    const placed = (field === "title" || field === "text") && Number.isInteger(start) && Number.isInteger(end);
    return { name, at: placed ? { field, start: start as number, end: end as number } : null };
  };
  return (json.decisions as Record<string, unknown>[]).flatMap((one): Decision[] => {
    const { document, relation, decision } = one ?? {};
    const [head, tail] = [mention(one?.["head"]), mention(one?.["tail"])];
    if (typeof document !== "string" || typeof relation !== "string" || head === undefined || tail === undefined)
      return [];
    if (decision !== "accept" && decision !== "reject") return [];
    const original = one["original"] as Decision["original"] | undefined;
    const named = [original?.head, original?.relation, original?.tail].every((name) => typeof name === "string");
    const own = { head: head.name, relation, tail: tail.name };
    return [{ document, head, tail, relation, decision, original: original === null ? null : named ? original! : own }];
  });
}

/** Documents of a saved file that state no relation. */
export function parseNone(text: string): string[] {
  const { none } = JSON.parse(text) as { none?: unknown };
  return Array.isArray(none) ? none.filter((id) => typeof id === "string") : [];
}

/**
 * Whether a document is reviewed: each of the run's triples (`keys`) has a decision; where there are none, the curator
 * said so (`none`) or added one.
 */
export function isReviewed(
  keys: readonly string[],
  decisions: Readonly<Record<string, Decision>>,
  none: boolean,
): boolean {
  if (keys.length > 0) return keys.every((key) => decisions[key] !== undefined);
  return none || Object.values(decisions).some(({ original }) => original === null);
}

/** A document's relations for training: what was accepted, as it was corrected, and what was missed; none twice. */
export function trainingRelations(decisions: readonly Decision[]): { head: string; tail: string; relation: string }[] {
  const found = new Map<string, { head: string; tail: string; relation: string }>();
  for (const { head, tail, relation, decision } of decisions) {
    if (decision !== "accept") continue;
    const key = JSON.stringify([head.name.toLowerCase(), relation, tail.name.toLowerCase()]);
    if (!found.has(key)) found.set(key, { head: head.name, tail: tail.name, relation });
  }
  return [...found.values()];
}

/** Where a name stands first, whatever its case: in the text, else in the title. */
export function placeOf(name: string, document: { title: string; text: string }): ReviewMention["at"] {
  const wanted = name.trim().toLowerCase();
  if (wanted === "") return null;
  for (const field of ["text", "title"] as const) {
    // Lower case may be longer than the original: then places would be wrong.
    const lower = document[field].toLowerCase();
    const start =
      lower.length === document[field].length ? lower.indexOf(wanted) : document[field].indexOf(name.trim());
    if (start >= 0) return { field, start, end: start + wanted.length };
  }
  return null;
}
