/** Lines that the scripts of several launchers share: how ranks are started under torchrun, and how a script ends. */
import { join } from "node:path";
import { ConfigError } from "../../errors.ts";
import { shellLine, shellWord } from "../shell.ts";
import type { Order, RanksWork } from "./launcher.ts";

/** What a script of a training that was asked to stop ends with: it saved, but has no model for those that wait for it. */
export const stoppedCode = 3;

/** Where a log is of several attempts, what is said of the last one stands behind this. */
export const begunMark = "--- begun ";
export const begun = `echo "${begunMark}$(date -u +%Y-%m-%dT%H:%M:%SZ)"`;

/** @throws ConfigError where ranks do not fill machines. */
export function nodesOf({ ranks, perNode }: Pick<RanksWork, "ranks" | "perNode">): number {
  if (ranks <= perNode) return 1;
  if (ranks % perNode === 0) return ranks / perNode;
  throw new ConfigError(`--ranks: expected a multiple of ${perNode}, the ranks of a machine, got ${ranks}`, {
    hint: "all machines have as many; --per-node says how many that is",
  });
}

/** As many as the work has on a machine: of one machine alone there may be fewer than it has room for. */
export function ranksOfNode({ ranks, perNode }: Pick<RanksWork, "ranks" | "perNode">): number {
  return Math.min(ranks, perNode);
}

/** A torchrun of one machine, without what says where the others are; words as a shell takes them. */
export function torchrun({ folder, python }: Order, work: RanksWork, rendezvous: readonly string[]): string[] {
  const { tensorParallel, restarts } = work;
  return [
    `${shellWord(python)} -m torch.distributed.run`,
    ...rendezvous,
    `--nproc-per-node ${ranksOfNode(work)} --max-restarts ${restarts}`,
    `--log-dir "logs/$(hostname)" --redirects 3`,
    shellWord(join(folder, "worker/worker.py")),
    shellLine([folder, ...(tensorParallel > 1 ? ["--tensor-parallel", String(tensorParallel)] : [])]),
  ];
}

/** Its words on lines of their own. */
export function folded(words: readonly string[], indent = "  "): string {
  return words.join(` \\\n${indent}`);
}

/** job.json, where what it needs is there only now. */
export function preparing({ galen, folder }: Order, { prepares }: RanksWork): string[] {
  if (!prepares) return [];
  return [
    "# Its inputs are of jobs before it: what is drawn at random is drawn now.",
    `[ -f job.json ] || ${galen} jobs prepare ${shellWord(folder)} || exit`,
  ];
}

/** Sets `code` behind a training. */
export const stoppedLines = [
  "# One that was asked to stop has saved and ended well, but what waits for its model must not begin.",
  `if [ "$code" -eq 0 ] && grep -q '"stopped": *true' done.json 2>/dev/null; then code=${stoppedCode}; fi`,
];

/** "Trains … with 8 ranks", for a script's head. */
export function titleOf({ work }: Order): string {
  if (work.kind === "tasks") return `Does ${work.tasks.length} tasks of array.json`;
  const nodes = nodesOf(work);
  const where = nodes === 1 ? "" : ` on ${nodes} machines`;
  return `Trains what job.json says, ${work.ranks} ${work.ranks === 1 ? "rank" : "ranks"}${where}`;
}
