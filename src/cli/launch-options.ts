/** Options of the commands that hand jobs in. The launchers' names are `launcherNames` of the library, which help must not load. */
import type { Option } from "./command.ts";

export const onOption = {
  type: "text",
  hint: "NAME",
  choices: ["local", "slurm", "ray", "kubernetes"],
  about: "What runs it",
} as const satisfies Option;

/** Of all jobs. */
export const submitOptions = {
  option: {
    type: "text",
    hint: "NAME=VALUE",
    many: "repeat",
    about:
      "The launcher's own: of Slurm any of sbatch (partition, account, time, gres=gpu:8), of Ray cpus and gpus, of Kubernetes image, claim, mount, gpus, cpu, memory, namespace",
  },
  address: { type: "text", hint: "URL", about: "Ray's dashboard (default: http://127.0.0.1:8265)" },
  after: {
    type: "text",
    hint: "DIR",
    many: "repeat",
    about: "Begin once that job has ended well: its folder, or the launcher's own id of it",
  },
  galen: {
    type: "text",
    hint: "COMMAND",
    about: "Galen where the job runs (default: GALEN, else this one; in containers galen)",
  },
  "dry-run": {
    type: "flag",
    about: "Write the folder, print what would be handed in, and hand nothing in",
  },
  detach: { type: "flag", about: "On this machine: do not wait for its end" },
} as const satisfies Record<string, Option>;

/** Of trainings. */
export const rankOptions = {
  "per-node": { type: "integer", hint: "N", least: 1, about: "Ranks of a machine (default: 8, or all)" },
  "tensor-parallel": {
    type: "integer",
    hint: "N",
    least: 1,
    about: "Ranks that share the matrices of a layer (LLaMA and its relatives; default: 1)",
  },
  restarts: {
    type: "integer",
    hint: "N",
    least: 0,
    about: "How often ranks are started again where one fails, from the last checkpoint (default: 0)",
  },
  python: { type: "text", hint: "FILE", about: "Python that has torch (default: GALEN_PYTHON, else python3)" },
} as const satisfies Record<string, Option>;

/** Of arrays. */
export const parallelOption = {
  type: "integer",
  hint: "N",
  least: 1,
  about: "Tasks at a time (default: on this machine one a core, elsewhere as many as there is room for)",
} as const satisfies Option;
