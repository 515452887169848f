/** What the routes of literature reply beside search results and documents: types alone, which the page reads too. */
import type { Answer } from "../../answers/types.ts";
import type { Decision, ReviewTriple } from "../../extract/review-state.ts";

/** An answer that the server keeps. */
export interface KeptAnswer {
  readonly id: string;
  /** When it was asked, ISO 8601. */
  readonly asked: string;
  readonly answer: Answer;
}

/** A rank of a job that stands out. */
export interface JobRank {
  readonly rank: number;
  readonly host: string;
  readonly step: number;
  /** Seconds before the last rank that was heard of. */
  readonly silent: number;
  /** How many times as long as the median rank its device takes for the same product. */
  readonly times: number | null;
  /** Seconds of its last update that it waited for its batches. */
  readonly waiting: number | null;
}

/** A training on accelerators, by the files of its folder. */
export interface JobEntry {
  /** waiting: no rank was heard of yet. silent: none for two minutes. */
  readonly state: "waiting" | "running" | "stopping" | "silent" | "stopped" | "failed" | "done";
  readonly step: number;
  /** That were heard of. */
  readonly ranks: number;
  readonly hosts: number;
  /** Names of accelerators, three at most. */
  readonly devices: readonly string[];
  /** When a rank was last heard of, ISO 8601. */
  readonly heard: string | null;
  /** Ranks that are an update or more behind the first. */
  readonly behind: number;
  /** Bytes that a rank took at most. */
  readonly memory: number;
  /** Seconds of an update that a rank waited for its batches, at most. */
  readonly waiting: number;
  /** The slowest five, and how many there are; the same of those that are not heard of any more. */
  readonly slow: readonly JobRank[];
  readonly slowCount: number;
  readonly dead: readonly JobRank[];
  readonly deadCount: number;
  /** The first rank that failed, with its last words. */
  readonly error: {
    readonly rank: number;
    readonly step: number | null;
    readonly message: string;
    readonly traceback: string;
  } | null;
  readonly errors: number;
  /** Files of ranks that could not be read. */
  readonly unread: number;
  readonly result: { readonly files: number; readonly bytes: number } | null;
}

export interface RunEntry {
  /** As its addresses name it. */
  readonly name: string;
  readonly recipe: string | null;
  /** Updates done, and planned where the run says so. */
  readonly step: number;
  readonly steps: number | null;
  readonly loss: number | null;
  readonly heldOut: number | null;
  readonly secondsLeft: number | null;
  /** Last change of its metrics, ISO 8601. */
  readonly changed: string;
  /** Its metrics changed within two minutes, and updates are left. */
  readonly going: boolean;
  /** Of a training on accelerators; null of Galen's own engine. */
  readonly job: JobEntry | null;
}

export interface RunPoint {
  readonly step: number;
  /** null: not a finite number. */
  readonly value: number | null;
}

/** Points that came since the last part; of the first part, all that there were. */
export interface RunMetrics {
  /** The run went back to a checkpoint: what was sent before no longer holds. */
  readonly restarted: boolean;
  readonly loss: readonly RunPoint[];
  readonly heldOut: readonly RunPoint[];
  readonly rate: readonly RunPoint[];
  /** Tokens or examples a second. */
  readonly speed: readonly RunPoint[];
  /** What the objective measures beside the loss, by name; and the same of held-out data. */
  readonly figures: Readonly<Record<string, readonly RunPoint[]>>;
  readonly heldOutFigures: Readonly<Record<string, readonly RunPoint[]>>;
  readonly samples: readonly { readonly step: number; readonly texts: readonly string[] }[];
}

export interface ReviewEntry {
  readonly name: string;
  readonly documents: number;
  readonly triples: number;
  /** Documents whose every triple is decided, or that were said to state none. */
  readonly reviewed: number;
  /** Triples on which people disagree. */
  readonly conflicts: number;
  readonly people: readonly string[];
}

/** Which documents of a review are shown: all, those with something undecided, those where people disagree, the rest. */
export type ReviewShow = "all" | "open" | "conflicts" | "reviewed";

/** What one person last said of one triple. */
export interface PersonDecision extends Decision {
  readonly person: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What people say of a triple. */
export interface JointDecision {
  readonly key: string;
  /** The last of each person, in order of time. */
  readonly by: readonly PersonDecision[];
  /** Two people disagree, on the decision or on how the triple should read. */
  readonly conflict: boolean;
}

export interface ReviewedTriple extends ReviewTriple {
  readonly sentences: readonly string[];
  readonly score?: number | undefined;
  readonly tripleScore?: number | null | undefined;
}

/** A document of a review, with what stands in it and what was said. */
export interface ReviewDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly triples: readonly ReviewedTriple[];
  readonly decisions: readonly JointDecision[];
  /** Who said that it states no relation. */
  readonly none: readonly { readonly person: string; readonly at: string }[];
  /** From 1, among those shown; null: not one of them. */
  readonly place: number | null;
  readonly of: number;
  /** Of those shown. */
  readonly next: string | null;
  readonly previous: string | null;
}

export interface Review extends ReviewEntry {
  readonly task: string;
  readonly relations: readonly string[];
  /** First document of those shown. */
  readonly first: string | null;
}

export interface CorpusEntry {
  readonly name: string;
  readonly createdBy: string;
  readonly records: number;
  readonly counts: {
    readonly read: number;
    readonly filtered: number;
    readonly superseded: number;
    readonly deleted: number;
    readonly failures: number;
  };
  readonly filled: Readonly<Record<string, number>>;
  readonly filters: Readonly<Record<string, unknown>>;
  readonly sources: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly records: number;
    readonly failures: number;
  }[];
  readonly bytes: number;
  readonly years: readonly { readonly year: number; readonly count: number }[];
  /** Records whose year is not known. */
  readonly undated: number;
  /** The first hundred. */
  readonly failures: readonly string[];
}
