/**
 * Kubernetes by kubectl: a training is a TrainJob of Kubeflow Trainer (trainer.kubeflow.org/v1alpha1, from 2.2 on, whose
 * runtime torch-distributed tells torchrun where the others are), an array an indexed Job. Manifests are checked against the
 * published schemas (scripts/check-manifests.py); they were not run on a cluster. Left out: jobs that wait for others, which
 * Kubernetes has no word for without a workflow engine.
 */
import { join, relative } from "node:path";
import { ConfigError, RuntimeError } from "../../errors.ts";
import type { Submitted } from "../folder.ts";
import { ask, shellWord, splitWords, told } from "../shell.ts";
import { type JobState, type Launcher, optionOf, type Order, type RanksWork, type Script } from "./launcher.ts";
import { folded, nodesOf, ranksOfNode, torchrun } from "./script.ts";

const path = "submit/kubernetes.yaml";
/** How an indexed Job's pod is told its place. */
const indexEnv = "JOB_COMPLETION_INDEX";

const known: Readonly<Record<string, string>> = {
  image: "the container's: torch for a training, Galen for an array",
  claim: "name of the PersistentVolumeClaim (ReadWriteMany) that the job's folder is on",
  mount: "where that disk is mounted, here and in the containers alike",
  namespace: "default: kubectl's own",
  runtime: "of Kubeflow Trainer; default torch-distributed",
  cpu: "of a container",
  memory: "of a container",
  "gpu-resource": "default nvidia.com/gpu",
  gpus: "of a container; default none",
};

interface Settings {
  readonly image: string;
  readonly claim: string;
  readonly mount: string;
  readonly resources: { readonly limits: Record<string, string>; readonly requests: Record<string, string> };
}

/** @throws ConfigError that names what is missing. */
function settingsOf({ options, folder, after, work }: Order): Settings {
  const wrong = options.find(([name]) => !Object.hasOwn(known, name));
  if (wrong !== undefined) {
    throw new ConfigError(
      `--option: expected one of ${Object.keys(known).join(", ")} for Kubernetes, got "${wrong[0]}"`,
    );
  }
  if (after.length > 0 || (work.kind === "ranks" && work.prepares)) {
    throw new ConfigError(
      "--after: expected jobs that are done, got one that is not; Kubernetes has no word for that",
      {
        hint: `galen jobs watch ${after[0]?.folder ?? "DIR"} --follow && galen launch …, or a workflow engine such as Argo`,
      },
    );
  }
  const need = (name: string): string => {
    const value = optionOf(options, name);
    if (value !== undefined && value !== "") return value;
    throw new ConfigError(`--option ${name}=…: expected ${known[name]}, got none`);
  };
  const [image, claim, mount] = [need("image"), need("claim"), need("mount")];
  const inside = relative(mount, folder);
  if (!mount.startsWith("/") || inside.startsWith("..") || inside === "") {
    throw new ConfigError(`--option mount: expected the folder of a disk that holds ${folder}, got "${mount}"`, {
      hint: "the job's folder must have the same path here and in its containers",
    });
  }
  const value = (name: string): string | undefined => optionOf(options, name);
  const sized = Object.entries({
    cpu: value("cpu"),
    memory: value("memory"),
    [value("gpu-resource") ?? "nvidia.com/gpu"]: value("gpus"),
  }).filter((one): one is [string, string] => one[1] !== undefined);
  // A processor's limit would slow what is there; memory and accelerators are given as they are asked for.
  const limits = sized.filter(([name]) => name !== "cpu");
  return {
    image,
    claim,
    mount,
    resources: { requests: Object.fromEntries(sized), limits: Object.fromEntries(limits) },
  };
}

type Manifest = Readonly<Record<string, unknown>>;

/** What is handed in, as an object. */
export function manifestOf(order: Order): Manifest {
  const settings = settingsOf(order);
  return order.work.kind === "ranks" ? trainJob(order, order.work, settings) : indexedJob(order, settings);
}

function metadataOf({ name, options }: Order): Manifest {
  const namespace = optionOf(options, "namespace");
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { "app.kubernetes.io/managed-by": "galen" },
  };
}

const volume = "galen";

function trainJob(order: Order, work: RanksWork, { image, claim, mount, resources }: Settings): Manifest {
  const { folder, options } = order;
  // The runtime's own variables (PET_NNODES, PET_NODE_RANK, PET_MASTER_ADDR, …) say the rest.
  const run = folded(torchrun(order, work, ["--tee 3"])).replace(" --redirects 3", "");
  const command = ["sh", "-c", `cd ${shellWord(folder)} && exec ${run}`];
  return {
    apiVersion: "trainer.kubeflow.org/v1alpha1",
    kind: "TrainJob",
    metadata: metadataOf(order),
    spec: {
      runtimeRef: { name: optionOf(options, "runtime") ?? "torch-distributed" },
      trainer: {
        image,
        command,
        numNodes: nodesOf(work),
        numProcPerNode: ranksOfNode(work),
        resourcesPerNode: resources,
      },
      runtimePatches: [
        {
          manager: "galen.dev/launch",
          trainingRuntimeSpec: {
            template: {
              spec: {
                replicatedJobs: [
                  {
                    name: "node",
                    template: {
                      spec: {
                        template: {
                          spec: {
                            volumes: [{ name: volume, persistentVolumeClaim: { claimName: claim } }],
                            containers: [{ name: "node", volumeMounts: [{ name: volume, mountPath: mount }] }],
                          },
                        },
                      },
                    },
                  },
                ],
              },
            },
          },
        },
      ],
    },
  };
}

function indexedJob(order: Order, { image, claim, mount, resources }: Settings): Manifest {
  const { folder, galen, work } = order;
  const tasks = work.kind === "tasks" ? work.tasks : [];
  const parallel = work.kind === "tasks" ? (work.parallel ?? tasks.length) : 1;
  // The index is a place among the tasks that are left; without gaps it is the task.
  const gaps = tasks.some((task, i) => task !== i);
  const task = gaps ? `"$(echo ${tasks.join(" ")} | cut -d ' ' -f $((${indexEnv} + 1)))"` : `"$${indexEnv}"`;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: metadataOf(order),
    spec: {
      completionMode: "Indexed",
      completions: tasks.length,
      parallelism: Math.min(parallel, tasks.length),
      // A task that fails is started again three times; what is finished is never done again.
      backoffLimitPerIndex: 3,
      podReplacementPolicy: "Failed",
      podFailurePolicy: {
        rules: [
          // A drained or dead machine is no failure of the task, nor is one that has to come again.
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          { action: "Ignore", onExitCodes: { containerName: "galen", operator: "In", values: [75] } },
          { action: "FailJob", onExitCodes: { containerName: "galen", operator: "In", values: [2] } },
        ],
      },
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [
            {
              name: "galen",
              image,
              command: ["sh", "-c", `exec ${galen} jobs task ${shellWord(folder)} ${task}`],
              resources,
              volumeMounts: [{ name: volume, mountPath: mount }],
            },
          ],
          volumes: [{ name: volume, persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  };
}

async function script(order: Order): Promise<Script> {
  const { stringify } = await import("yaml");
  const manifest = manifestOf(order);
  const text = `# Written by Galen. Handed in by: ${commandOf(order)}\n${stringify(manifest, { lineWidth: 0 })}`;
  return { files: { [path]: text }, command: commandOf(order) };
}

function commandOf({ folder }: Order): string {
  return `kubectl create --filename ${shellWord(join(folder, path))}`;
}

async function submit(order: Order): Promise<string> {
  if ((await ask(["kubectl", "version", "--client"])) === undefined) {
    throw new RuntimeError("kubectl: expected a program of this name, got none", {
      hint: `install it, or hand the manifest in where it is: ${commandOf(order)}`,
    });
  }
  await told(splitWords(commandOf(order)), "kubectl must reach the cluster");
  const kind = order.work.kind === "ranks" ? "trainjob" : "job";
  const namespace = optionOf(order.options, "namespace");
  return `${namespace === undefined ? "" : `${namespace}/`}${kind}/${order.name}`;
}

/** "namespace/trainjob/name" → words of kubectl. */
function target({ id }: Submitted): string[] {
  const parts = (id ?? "").split("/");
  const [kind = "", name = ""] = parts.slice(-2);
  return [`${kind}/${name}`, ...(parts.length === 3 ? ["--namespace", parts[0]!] : [])];
}

interface Described {
  readonly spec?: { readonly suspend?: boolean };
  readonly status?: {
    readonly active?: number;
    readonly ready?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly jobsStatus?: readonly { readonly active?: number; readonly ready?: number }[];
  };
}

async function state(job: Submitted): Promise<JobState> {
  const answer = await ask(["kubectl", "get", ...target(job), "--output", "json"]);
  if (answer?.code !== 0) {
    return { state: "unknown", detail: answer === undefined ? "no kubectl here" : answer.stderr.trim().slice(0, 200) };
  }
  return stateFrom(JSON.parse(answer.stdout) as Described);
}

/** What conditions of a Job or a TrainJob say. */
export function stateFrom({ status = {} }: Described): JobState {
  const holds = (type: string): string | undefined => {
    const found = status.conditions?.find((one) => one.type === type && one.status === "True");
    return found === undefined ? undefined : (found.message ?? type);
  };
  const failed = holds("Failed");
  if (failed !== undefined) return { state: "ended", code: 1, detail: failed };
  if ((holds("Complete") ?? holds("Succeeded")) !== undefined) return { state: "ended", code: 0, detail: "Complete" };
  const counts = [status, ...(status.jobsStatus ?? [])];
  const runs = counts.some(({ ready = 0 }) => ready > 0);
  return { state: runs ? "running" : "pending", detail: holds("Suspended") ?? (runs ? "Running" : "Pending") };
}

async function cancel(job: Submitted): Promise<void> {
  await told(["kubectl", "delete", ...target(job), "--wait=false"], "kubectl must reach the cluster");
}

export const kubernetes: Launcher = { script, submit, state, cancel };
