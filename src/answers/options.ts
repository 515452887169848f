/** What a question may be asked with; apart from the types of answers, which a browser reads too. */
import type { Filters } from "../search/types.ts";
import type { Checker } from "./check.ts";
import type { Judge } from "./verdict.ts";
import type { Writer } from "./write.ts";

export interface AskOptions {
  /** Most sentences. Default 5. */
  readonly sentences?: number | undefined;
  /** Answer from retracted documents too. Default false: they are named among the notes. */
  readonly retracted?: boolean | undefined;
  readonly filters?: Filters | undefined;
  /** Writes a sentence of each piece of evidence; without one, evidence is quoted as it stands. */
  readonly writer?: Writer | undefined;
  /** Looks at what was written, besides the rules. */
  readonly checker?: Checker | undefined;
  /** Of questions that ask whether; default: by cues. */
  readonly judge?: Judge | undefined;
  readonly signal?: AbortSignal | undefined;
}
