import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ranksOrder, tasksOrder } from "../../../test/support/orders.ts";
import { kubernetes, manifestOf, stateFrom } from "./kubernetes.ts";
import type { Order } from "./launcher.ts";

const options = [
  ["image", "registry.example/torch:2.15"],
  ["claim", "work"],
  ["mount", "/data"],
  ["gpus", "8"],
  ["cpu", "64"],
  ["memory", "512Gi"],
] as const;
const training = (): Order => ({ ...ranksOrder({ ranks: 16, perNode: 8 }), options });
const array = (tasks: number | readonly number[], parallel?: number): Order => ({
  ...tasksOrder(tasks, parallel),
  options,
});

type Tree = { readonly [key: string]: Tree } & Tree[] & string;
const treeOf = (order: Order): Tree => manifestOf(order) as unknown as Tree;

test("a training is a TrainJob of so many machines with so many ranks each, on the disk that holds its folder", () => {
  const { apiVersion, kind, spec } = treeOf(training());
  expect([apiVersion, kind]).toEqual(["trainer.kubeflow.org/v1alpha1", "TrainJob"]);
  expect(spec!["trainer"]).toMatchObject({ numNodes: 2, numProcPerNode: 8, image: "registry.example/torch:2.15" });
  expect(spec!["trainer"]!["resourcesPerNode"]).toEqual({
    requests: { cpu: "64", memory: "512Gi", "nvidia.com/gpu": "8" },
    limits: { memory: "512Gi", "nvidia.com/gpu": "8" },
  });
  const command = spec!["trainer"]!["command"]![2]!;
  expect(command).toMatch(/^cd \/data\/jobs\/nano && exec /);
  expect(command).toContain("-m torch.distributed.run");
  // The runtime says where the others are.
  expect(command).not.toMatch(/--nnodes|--rdzv/);
  const patch = spec!["runtimePatches"]![0]!["trainingRuntimeSpec"]!["template"]!["spec"]!["replicatedJobs"]![0]!;
  const pod = patch["template"]!["spec"]!["template"]!["spec"]!;
  expect(pod["volumes"]![0]).toMatchObject({ persistentVolumeClaim: { claimName: "work" } });
  expect(pod["containers"]![0]!["volumeMounts"]).toEqual([{ name: "galen", mountPath: "/data" }]);
});

test("an array is an indexed Job; numbers that have gaps are looked up by the index", () => {
  const whole = treeOf(array(40, 8))["spec"]!;
  expect(whole).toMatchObject({ completionMode: "Indexed", completions: 40, parallelism: 8 });
  const command = (spec: Tree): string => spec["template"]!["spec"]!["containers"]![0]!["command"]![2]!;
  expect(command(whole)).toBe('exec galen jobs task /data/jobs/array "$JOB_COMPLETION_INDEX"');
  const gaps = treeOf(array([3, 7, 9]))["spec"]!;
  expect(gaps["completions"]).toBe(3);
  const found = [0, 1, 2].map((index) => {
    const line = command(gaps).replace("exec galen", "echo");
    return spawnSync("sh", ["-c", line], {
      encoding: "utf8",
      env: { ...process.env, JOB_COMPLETION_INDEX: String(index) },
    }).stdout;
  });
  expect(found).toEqual([3, 7, 9].map((task) => `jobs task /data/jobs/array ${task}\n`));
});

test("what is missing is named, and so is what Kubernetes has no word for", () => {
  const without = (name: string): Order => ({ ...training(), options: options.filter(([one]) => one !== name) });
  expect(() => manifestOf(without("image"))).toThrow(/--option image=…: expected the container's/);
  expect(() => manifestOf(without("claim"))).toThrow(/--option claim=…/);
  expect(() => manifestOf({ ...training(), options: [...options, ["mount", "/other"]] })).toThrow(
    /expected the folder of a disk that holds \/data\/jobs\/nano/,
  );
  expect(() => manifestOf({ ...training(), options: [...options, ["partition", "x"]] })).toThrow(
    /--option: expected one of image/,
  );
  expect(() => manifestOf({ ...training(), after: [{ id: "x", folder: "/a" }] })).toThrow(
    /--after: expected jobs that are done/,
  );
});

test("the manifest's text is the manifest", async () => {
  const { files, command } = await kubernetes.script(training());
  expect(parse(files["submit/kubernetes.yaml"]!)).toEqual(manifestOf(training()));
  expect(command).toBe("kubectl create --filename /data/jobs/nano/submit/kubernetes.yaml");
});

test.each([
  [{}, { state: "pending" }],
  [{ status: { active: 1, ready: 1 } }, { state: "running" }],
  [{ status: { jobsStatus: [{ active: 1, ready: 2 }] } }, { state: "running" }],
  [{ status: { conditions: [{ type: "Complete", status: "True" }] } }, { state: "ended", code: 0 }],
  [
    { status: { conditions: [{ type: "Failed", status: "True", message: "BackoffLimit" }] } },
    { state: "ended", code: 1, detail: "BackoffLimit" },
  ],
  [{ status: { conditions: [{ type: "Failed", status: "False" }], ready: 1 } }, { state: "running" }],
])("%o is %o", (described, expected) => expect(stateFrom(described)).toMatchObject(expected));

/** A Python with kubernetes-validate, and Kubeflow Trainer's published schema (scripts/check-manifests.py). */
const { MANIFESTS_PYTHON: python, KUBEFLOW_CRD: schema } = process.env;
const canCheck = python !== undefined && schema !== undefined;
if (!canCheck) console.warn("skipped: MANIFESTS_PYTHON and KUBEFLOW_CRD name no published schemas");

test.skipIf(!canCheck)("both manifests pass the published schemas, and a wrong field does not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "galen-manifests-"));
  const check = (...texts: string[]): { status: number | null; stderr: string; stdout: string } => {
    const paths = texts.map((text, i) => {
      const path = join(folder, `${i}.yaml`);
      writeFileSync(path, text);
      return path;
    });
    const script = fileURLToPath(new URL("../../../scripts/check-manifests.py", import.meta.url));
    return spawnSync(python!, [script, ...paths], { encoding: "utf8" });
  };
  const text = async (order: Order): Promise<string> =>
    (await kubernetes.script(order)).files["submit/kubernetes.yaml"]!;
  const [train, tasks, gaps] = [await text(training()), await text(array(40, 8)), await text(array([3, 7]))];
  try {
    const good = check(train, tasks, gaps);
    expect(good.stderr + good.stdout).toMatch(/3 manifests/);
    expect(good.status).toBe(0);
    expect(check(train.replace("numNodes", "numberOfNodes")).status).toBe(1);
    expect(check(tasks.replace("completionMode", "completionKind")).status).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
