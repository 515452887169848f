/** A clinical note, whichever form it came in. */
import type { Metadata } from "./events.ts";

export interface Note {
  /** The source's own; "" where it has none. */
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly patient: string;
  readonly encounter: string;
  /** "Discharge summary", "Radiology". */
  readonly category: string;
  readonly specialty: string;
  readonly date: string;
  readonly language: string;
  /** What else the source says. */
  readonly rest: Metadata;
}
