/** The Python that trainings run on, asked before anything is handed to it: worker.py needs PyTorch alone, of a version that it names itself. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RuntimeError } from "../errors.ts";
import { readText } from "../io/files.ts";
import { ask, shellLine } from "./shell.ts";

/** What is installed for the worker, pinned. */
export const requirementsFile: string = fileURLToPath(new URL("../../distributed/requirements.txt", import.meta.url));

const workerFile = fileURLToPath(new URL("../../distributed/worker.py", import.meta.url));

/** The command that is meant: as given, else GALEN_PYTHON, else python3. */
export function pythonFor(given: string | undefined): string {
  return given ?? (process.env["GALEN_PYTHON"] || "python3");
}

/** The oldest PyTorch that the worker runs on, as it says itself. */
export async function oldestTorch(): Promise<string> {
  const text = await readText(workerFile, "reinstall Galen: the file comes with it");
  const [, major, minor] = /^OLDEST_TORCH = \((\d+), (\d+)\)$/m.exec(text) ?? [];
  if (minor !== undefined) return `${major}.${minor}`;
  throw new RuntimeError(`${workerFile}: expected a line OLDEST_TORCH = (MAJOR, MINOR), got none`);
}

export interface PythonFacts {
  readonly python: string;
  readonly torch: string;
  /** CUDA or ROCm devices that it sees. */
  readonly accelerators: number;
}

const question =
  "import json,platform,torch;print(json.dumps([platform.python_version(),torch.__version__,torch.cuda.device_count()]))";

/**
 * Whether a training can run on a Python of this machine.
 * @throws RuntimeError that says what is missing, and the one command that installs it.
 */
export async function checkPython(python: string): Promise<PythonFacts> {
  const wanted = await oldestTorch();
  const answer = await ask([python, "-c", question]);
  if (answer === undefined) {
    throw new RuntimeError(`${python}: expected a Python with PyTorch ${wanted} or newer, got no such program`, {
      hint: installHint(undefined),
    });
  }
  const line = answer.stdout.trim().split("\n").at(-1) ?? "";
  if (answer.code !== 0 || !line.startsWith("[")) {
    const last = answer.stderr.trim().split("\n").at(-1) ?? "";
    const got = /No module named 'torch'/.test(last) ? "one without torch" : last || `code ${answer.code}`;
    throw new RuntimeError(`${python}: expected a Python with PyTorch ${wanted} or newer, got ${got}`, {
      hint: installHint(python),
    });
  }
  const [version, torch, accelerators] = JSON.parse(line) as [string, string, number];
  if (isOlder(torch, wanted)) {
    throw new RuntimeError(`${python}: expected PyTorch ${wanted} or newer, got ${torch}`, {
      hint: installHint(python),
    });
  }
  return { python: version, torch, accelerators };
}

/** 2.13.0+cu130 before 2.15.0. */
export function isOlder(version: string, wanted: string): boolean {
  const numbers = (text: string): number[] =>
    text
      .split("+")[0]!
      .split(".")
      .map((part) => Number.parseInt(part, 10) || 0);
  const [have, need] = [numbers(version), numbers(wanted)];
  const place = need.findIndex((part, i) => part !== (have[i] ?? 0));
  return place >= 0 && (have[place] ?? 0) < need[place]!;
}

/** For a Python that is there, into it; else an environment of its own. */
function installHint(python: string | undefined): string {
  const file = existsSync(requirementsFile) ? requirementsFile : "requirements.txt";
  if (python !== undefined) {
    const command = shellLine(["uv", "pip", "install", "--python", python, "--requirement", file]);
    return `${command} (or ${shellLine([python, "-m", "pip", "install", "--requirement", file])}); --python names another Python`;
  }
  const make = `uv venv galen-torch && ${shellLine(["uv", "pip", "install", "--python", "galen-torch", "--requirement", file])}`;
  return `${make}, then --python galen-torch/bin/python`;
}
