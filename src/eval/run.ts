/**
 * The one way that evaluations run: a protocol and its hash, windows of results that are kept so that a killed run goes
 * on, and a report. What is asked of which model, and the figures, are those of the evaluation.
 */
import type { Measurement, Report } from "../metrics/report.ts";
import { protocolHash } from "./protocol.ts";
import { openWindows, type WindowOptions, type Windows } from "./windows.ts";

export interface Protocol {
  readonly task: string;
  readonly version: string | number;
  /** Settings, seeds and a fingerprint of the data. */
  readonly [fact: string]: unknown;
}

/**
 * @param stages names of the files of kept results.
 * @param measure asks the model, window by window, and scores.
 * @throws ConfigError where `output` holds a run and `resume` is false, or a run of another protocol.
 */
export async function runEvaluation(
  protocol: Protocol,
  stages: readonly string[],
  options: WindowOptions,
  measure: (windows: Windows) => Promise<Measurement & { readonly examples: number }>,
): Promise<Report> {
  const { task, version } = protocol;
  const hash = protocolHash(protocol);
  await using windows = await openWindows({ ...protocol, hash }, stages, options);
  return { task, version: String(version), protocol, hash, ...(await measure(windows)) };
}
