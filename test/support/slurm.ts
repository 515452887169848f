/**
 * A Slurm of its own for tests: munge, a controller and two machines that are this one, in a temporary folder and on ports of
 * its own, so that it is in nobody's way. Needs Debian's slurm-wlm (22.05 was tried) and root, as slurmd does.
 */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const programs = ["munged", "slurmctld", "slurmd", "sbatch", "scontrol"];

/** Whether one can be started; says why not. */
export function canStartSlurm(): boolean {
  const missing = programs.find((name) => spawnSync("which", [name]).status !== 0);
  const reason =
    missing !== undefined
      ? `${missing} is not installed (apt-get install slurm-wlm)`
      : process.getuid?.() !== 0
        ? "slurmd wants root"
        : undefined;
  if (reason !== undefined) console.warn(`skipped: ${reason}`);
  return reason === undefined;
}

export interface TestSlurm extends AsyncDisposable {
  readonly folder: string;
  readonly nodes: readonly string[];
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Starts it and sets SLURM_CONF for what is called from here; until it is disposed of. */
export async function startSlurm({ maxArraySize = 1001 } = {}): Promise<TestSlurm> {
  const folder = mkdtempSync(join(tmpdir(), "galen-slurm-"));
  // munge trusts no folder that others may enter to write.
  chmodSync(folder, 0o711);
  for (const name of ["munge", "state", "spool", "log"]) mkdirSync(join(folder, name));
  chmodSync(join(folder, "munge"), 0o711);
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("munge/key"), randomBytes(1024), { mode: 0o400 });
  const nodes = ["one", "two"];
  const ports = await Promise.all(nodes.map(freePort));
  const names = nodes.map((name, i) => {
    return `NodeName=${name} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=4 RealMemory=4000 State=UNKNOWN`;
  });
  const config = {
    ClusterName: "galen",
    SlurmctldHost: `${hostname()}(127.0.0.1)`,
    SlurmctldPort: await freePort(),
    AuthType: "auth/munge",
    AuthInfo: `socket=${at("munge/sock")}`,
    CryptoType: "crypto/munge",
    SlurmUser: "root",
    SlurmdUser: "root",
    SlurmctldPidFile: at("slurmctld.pid"),
    SlurmdPidFile: at("slurmd-%n.pid"),
    StateSaveLocation: at("state"),
    SlurmdSpoolDir: at("spool/%n"),
    SlurmctldLogFile: at("log/slurmctld"),
    SlurmdLogFile: at("log/slurmd-%n"),
    ProctrackType: "proctrack/linuxproc",
    TaskPlugin: "task/none",
    JobAcctGatherType: "jobacct_gather/none",
    AccountingStorageType: "accounting_storage/none",
    SelectType: "select/cons_tres",
    SelectTypeParameters: "CR_Core",
    SchedulerType: "sched/backfill",
    MpiDefault: "none",
    ReturnToService: 2,
    JobRequeue: 1,
    MaxArraySize: maxArraySize,
    SchedulerParameters: "sched_interval=2,bf_interval=5,batch_sched_delay=1",
    SlurmdParameters: "config_overrides",
  };
  const lines = Object.entries(config).map(([name, value]) => `${name}=${value}`);
  const partition = "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP";
  writeFileSync(at("slurm.conf"), [...lines, ...names, partition, ""].join("\n"));
  const before = process.env["SLURM_CONF"];
  process.env["SLURM_CONF"] = at("slurm.conf");
  const log = openSync(at("log/started"), "w");
  const start = (program: string, ...words: string[]): (() => void) => {
    const child = spawn(program, words, { stdio: ["ignore", log, log] });
    return () => void child.kill("SIGTERM");
  };
  const paths = ["key-file=key", "socket=sock", "pid-file=pid", "log-file=log", "seed-file=seed"].map((one) => {
    const [option, name] = one.split("=");
    return `--${option}=${at(`munge/${name}`)}`;
  });
  const stops = [start("munged", "--foreground", "--force", ...paths)];
  await until(
    () => existsSync(at("munge/sock")),
    () => readFileSync(at("log/started"), "utf8"),
  );
  stops.push(start("slurmctld", "-D"), ...nodes.map((name) => start("slurmd", "-D", "-N", name)));
  const isUp = (): boolean => {
    const said = spawnSync("sinfo", ["-h", "-N", "-o", "%N %T"], { encoding: "utf8" }).stdout;
    return nodes.every((name) => said.includes(`${name} idle`));
  };
  const stop = async (): Promise<void> => {
    spawnSync("scancel", ["--user=root"]);
    for (const one of stops.toReversed()) one();
    await wait(500);
    if (before === undefined) delete process.env["SLURM_CONF"];
    else process.env["SLURM_CONF"] = before;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await until(isUp, () => readFileSync(at("log/started"), "utf8"));
  } catch (error) {
    await stop();
    throw error;
  }
  return { folder, nodes, [Symbol.asyncDispose]: stop };
}

async function until(isSo: () => boolean, why: () => string): Promise<void> {
  for (let i = 0; i < 120; i++) {
    if (isSo()) return;
    await wait(250);
  }
  throw new Error(`Slurm did not start: ${why().slice(-2000)}`);
}
