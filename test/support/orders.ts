/** Orders as launchers get them, for tests of what they write. */
import type { Order, RanksWork, TasksWork } from "../../src/launch/launchers/launcher.ts";

export function orderFor(folder = "/data/jobs/nano"): Omit<Order, "work"> {
  return {
    folder,
    name: "nano-1",
    python: "/opt/torch/bin/python",
    galen: "galen",
    after: [],
    options: [],
    address: undefined,
  };
}

export function ranksOrder(work: Partial<RanksWork>): Order & { readonly work: RanksWork } {
  const all = {
    kind: "ranks",
    ranks: 1,
    perNode: 1,
    tensorParallel: 1,
    restarts: 0,
    prepares: false,
    ...work,
  } as const;
  return { ...orderFor(), work: all };
}

export function tasksOrder(tasks: number | readonly number[], parallel?: number): Order & { readonly work: TasksWork } {
  const numbers = typeof tasks === "number" ? Array.from({ length: tasks }, (_, i) => i) : tasks;
  return { ...orderFor("/data/jobs/array"), work: { kind: "tasks", tasks: numbers, parallel } };
}
