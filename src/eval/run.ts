/**
 * The one way that evaluations run: a protocol and its hash, windows of results that are kept so that a killed run goes
 * on, and a report. What is asked of which model, and the figures, are those of the evaluation.
 */
import type { Measurement, Report } from "../metrics/report.ts";
import { protocolHash } from "./protocol.ts";
import { openWindows, type WindowOptions, type Windows } from "./windows.ts";

/** A model that says what its results depend on besides its directory, such as the format of its weights. */
export interface Identified {
  readonly identity?: Readonly<Record<string, unknown>> | undefined;
}

export interface Protocol {
  readonly task: string;
  readonly version: string | number;
  /** Settings, seeds and a fingerprint of the data. */
  readonly [fact: string]: unknown;
}

/**
 * @param model whose identity must be equal for a run to be resumed.
 * @param stages names of the files of kept results.
 * @param measure asks the model, window by window, and scores.
 * @throws ConfigError where `output` holds a run and `resume` is false, or a run of another protocol.
 */
export async function runEvaluation(
  protocol: Protocol,
  model: Identified,
  stages: readonly string[],
  options: WindowOptions,
  measure: (windows: Windows) => Promise<Measurement & { readonly examples: number }>,
): Promise<Report> {
  const { task, version } = protocol;
  const hash = protocolHash(protocol);
  // The hash last: where a run differs, it is told by the first field that does.
  const identity = { ...options.identity, ...model.identity, hash };
  await using windows = await openWindows(protocol, stages, { ...options, identity });
  return { task, version: String(version), protocol, hash, ...(await measure(windows)) };
}
