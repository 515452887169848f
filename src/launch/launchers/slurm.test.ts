import { expect, test } from "vitest";
import { ranges, stateFrom, submissions, slurm } from "./slurm.ts";
import { orderFor, ranksOrder, tasksOrder } from "../../../test/support/orders.ts";

const scriptOf = async (order: Parameters<typeof slurm.script>[0]): Promise<string> =>
  Object.values((await slurm.script(order)).files)[0]!;
const directives = (script: string): string[] => [...script.matchAll(/^#SBATCH --(.*)$/gm)].map(([, text]) => text!);

test("a training asks for as many machines as its ranks fill, a torchrun on each", async () => {
  const script = await scriptOf(ranksOrder({ ranks: 16, perNode: 8, tensorParallel: 4 }));
  expect(directives(script)).toEqual(expect.arrayContaining(["nodes=2", "ntasks-per-node=1", "requeue"]));
  expect(script).toContain("--nnodes 2");
  expect(script).toContain("--nproc-per-node 8");
  expect(script).toMatch(/worker\/worker\.py .*\n.*\/jobs\/nano --tensor-parallel 4/);
});

test("one machine has as many ranks as there are", async () => {
  const script = await scriptOf(ranksOrder({ ranks: 2, perNode: 8 }));
  expect(directives(script)).toContain("nodes=1");
  expect(script).toContain("--nproc-per-node 2");
});

test("ranks that do not fill machines are refused", async () => {
  await expect(slurm.script(ranksOrder({ ranks: 12, perNode: 8 }))).rejects.toThrow(
    /--ranks: expected a multiple of 8/,
  );
});

test("sbatch's own options stand behind Galen's, so that they win", async () => {
  const order = {
    ...ranksOrder({ ranks: 1, perNode: 1 }),
    options: [
      ["time", "24:00:00"],
      ["exclusive", ""],
      ["signal", "B:USR1@60"],
      ["comment", 'a "b"'],
    ],
  };
  const all = directives(await scriptOf(order as never));
  expect(all.slice(-4)).toEqual(["time=24:00:00", "exclusive", "signal=B:USR1@60", 'comment="a \\"b\\""']);
  expect(all.indexOf("signal=B:USR1@300")).toBeLessThan(all.length - 2);
});

test("jobs before it have to end well, parts of an array too, and it is cancelled where they do not", async () => {
  const order = {
    ...ranksOrder({ ranks: 1, perNode: 1 }),
    after: [
      { id: "12,13", folder: "/jobs/a" },
      { id: "9", folder: undefined },
    ],
  };
  expect(directives(await scriptOf(order))).toEqual(
    expect.arrayContaining(["dependency=afterok:12:13,afterok:9", "kill-on-invalid-dep=yes"]),
  );
  const wrong = { ...order, after: [{ id: "raysubmit_1", folder: undefined }] };
  await expect(slurm.script(wrong)).rejects.toThrow(/--after: expected a job of Slurm, got "raysubmit_1"/);
});

test("a folder's name with spaces, quotes and percents stays one", async () => {
  const script = await scriptOf({
    ...orderFor("/data/it's 100% mine"),
    work: ranksOrder({ ranks: 1, perNode: 1 }).work,
  });
  expect(script).toContain(`cd '/data/it'\\''s 100% mine' || exit`);
  expect(script).toContain(`#SBATCH --output="/data/it's 100%% mine/logs/slurm-%j.log"`);
});

test("an array is handed in in parts below MaxArraySize, every task in one of them", () => {
  const parts = submissions(tasksOrder(2500), 1000);
  const words = parts.map((one) => one.words(undefined));
  expect(words.map((one) => one[2])).toEqual(["--array=0-999", "--array=0-999", "--array=0-499"]);
  expect(words.map((one) => one[3])).toEqual([
    "--export=ALL,OFFSET=0",
    "--export=ALL,OFFSET=1000",
    "--export=ALL,OFFSET=2000",
  ]);
});

test("with a limit, a part begins behind the part before it, so that no more run at a time", () => {
  const [first, second] = submissions({ ...tasksOrder(1500, 8), after: [{ id: "7", folder: undefined }] }, 1000);
  expect(first!.words(undefined)).toContain("--array=0-999%8");
  expect(first!.words(undefined).join(" ")).not.toContain("--dependency");
  expect(second!.words("40")).toContain("--dependency=afterok:7,afterany:40");
});

test("numbers of tasks are written as ranges", () => {
  expect(ranges([0, 1, 2, 3, 7, 9, 10, 20, 21, 22])).toBe("{0..3} 7 9 10 {20..22}");
  expect(ranges([5])).toBe("5");
});

test("of an array what runs counts before what waits, and what failed before what is done", () => {
  const of = (...states: string[]): string =>
    stateFrom(states.map((state) => ({ state, code: state === "FAILED" ? 3 : 0 }))).state;
  expect(of("COMPLETED", "RUNNING", "PENDING")).toBe("running");
  expect(of("COMPLETED", "PENDING", "FAILED")).toBe("pending");
  expect(of()).toBe("unknown");
  expect(
    stateFrom([
      { state: "COMPLETED", code: 0 },
      { state: "FAILED", code: 3 },
    ]),
  ).toMatchObject({ state: "ended", code: 3 });
  expect(stateFrom([{ state: "TIMEOUT", code: 0 }])).toMatchObject({ state: "ended", code: 1 });
  expect(stateFrom([{ state: "COMPLETED", code: 0 }])).toMatchObject({ state: "ended", code: 0 });
  expect(stateFrom([{ state: "PENDING", code: 0, reason: "Priority" }]).detail).toBe("PENDING (Priority)");
});
