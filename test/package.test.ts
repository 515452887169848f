/** The package as it is published: what is in the tarball, and that an npm registry is all that its install needs. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-package-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As a shell outside of the clone has it, and NuGet out of ONNX Runtime's reach: its script asks this proxy. */
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|GALEN_|VITEST)/.test(name))),
  PATH: (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((one) => !one.includes("node_modules"))
    .join(delimiter),
  GLOBAL_AGENT_HTTPS_PROXY: "http://127.0.0.1:9",
  GLOBAL_AGENT_HTTP_PROXY: "http://127.0.0.1:9",
};

function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 200_000 });
  expect(status, `${command} ${args.join(" ")}\n${stderr}`).toBe(0);
  return stdout;
}

const json = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), "utf8")) as T;
/** This Node, and the system's where it is another. */
const nodes = [process.execPath, ...(process.platform === "win32" ? [] : ["/usr/bin/node"].filter(existsSync))];

describe.skipIf(!existsSync(join(root, "dist/index.js")))("the tarball (of dist/, made by npm ci)", () => {
  const packed = (): { filename: string; files: { path: string }[] } => {
    const [one] = JSON.parse(run(root, "npm", "pack", "--ignore-scripts", "--json", "--pack-destination", folder)) as [
      { filename: string; files: { path: string }[] },
    ];
    return one;
  };

  test("has no source maps, and examples, samples and the changelog", () => {
    const paths = packed().files.map(({ path }) => path);
    expect(paths.filter((path) => path.endsWith(".map") || path.endsWith(".test.js"))).toEqual([]);
    for (const path of ["CHANGELOG.md", "README.md", "LICENSE", "samples/pubmed-sample.xml", "scripts/preinstall.js"]) {
      expect(paths).toContain(path);
    }
    expect(paths.filter((path) => path.startsWith("examples/")).length).toBeGreaterThan(2);
    const code = readFileSync(join(root, "dist/index.js"), "utf8");
    expect(code).not.toContain("sourceMappingURL");
  });

  test.each(["10", "11"])(
    "npm %s installs it into an empty folder where NuGet is not reached, and it runs",
    (npm) => {
      const { filename } = packed();
      const project = join(folder, `npm-${npm}`);
      mkdirSync(project);
      writeFileSync(join(project, "package.json"), '{ "private": true }\n');
      const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, filename)];
      run(project, "npx", "--yes", "--prefer-offline", `npm@${npm}`, ...install);
      // As the image is made, with the binaries of one platform alone.
      const slim = /^RUN (find .*)$/m.exec(readFileSync(join(root, "Dockerfile"), "utf8"))![1]!;
      if (process.platform === "linux") run(project, "sh", "-c", slim);
      const binary = join(project, "node_modules/galen/bin/galen.js");
      for (const node of nodes) {
        expect(run(project, node, binary, "--version").trim()).toBe(json<{ version: string }>("package.json").version);
        const output = `out-${nodes.indexOf(node)}`;
        const result = run(project, node, binary, "quickstart", "--steps", "1", "--output", output, "--json");
        expect(JSON.parse(result.trim().split("\n").at(-1)!)).toMatchObject({ type: "result", stopped: false });
      }
      // CUDA is still one step away: asked for, the script goes to NuGet.
      const script = join(project, "node_modules/onnxruntime-node/script/install.js");
      const asked = spawnSync(process.execPath, [script, "--onnxruntime-node-install=cuda12"], { env });
      if (process.platform === "linux" && process.arch === "x64") expect(asked.status).not.toBe(0);
      rmSync(project, { recursive: true });
    },
    300_000,
  );
});

test("every package of the lock has an integrity hash, those of other platforms as well", () => {
  const { packages } = json<{ packages: Record<string, { integrity?: string; link?: true }> }>("package-lock.json");
  const bare = Object.entries(packages).filter(([path, one]) => path !== "" && one.integrity === undefined);
  expect(bare.map(([path]) => path)).toEqual([]);
});

test("a clone installs without ONNX Runtime's script too, whatever the version of npm", () => {
  // npm 11 goes by allowScripts; npm 10 runs those that the lock speaks of.
  const { packages } = json<{ packages: Record<string, { hasInstallScript?: boolean }> }>("package-lock.json");
  expect(packages["node_modules/onnxruntime-node"]?.hasInstallScript).toBeUndefined();
  const { allowScripts } = json<{ allowScripts: Record<string, boolean> }>("package.json");
  const scripts = Object.entries(packages).flatMap(([path, one]) =>
    path !== "" && one.hasInstallScript === true && !path.includes("fsevents")
      ? [path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)]
      : [],
  );
  expect(Object.keys(allowScripts)).toEqual(expect.arrayContaining(scripts));
  expect(allowScripts["onnxruntime-node"]).toBe(false);
});

test("the image runs what the package has, by the Node of the clone, and not as root", () => {
  const image = readFileSync(join(root, "Dockerfile"), "utf8");
  const { devDependencies } = json<{ devDependencies: { node: string } }>("package.json");
  for (const [, major] of image.matchAll(/^FROM node:(\d+)-/gm)) expect(devDependencies.node).toMatch(`${major}.`);
  const last = image.slice(image.lastIndexOf("\nFROM"));
  expect(/^USER (.*)$/m.exec(last)?.[1]).toBe("node");
  const [, entry] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(last)![1]!) as [string, string];
  expect(existsSync(join(root, entry.replace("/app/node_modules/galen/", "")))).toBe(true);
});

test("npm has nothing to warn of in a clone: no setting that it does not know", () => {
  const { stderr } = spawnSync("npm", ["exec", "--offline", "--", "galen", "--version"], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  expect(stderr).not.toMatch(/warn/i);
});

test("which Node is supported is said in package.json, and the README, AGENTS.md and the command say the same", () => {
  const { node } = json<{ engines: { node: string } }>("package.json").engines;
  const least = /^>=([\d.]+)$/.exec(node)![1]!;
  expect(readFileSync(join(root, "README.md"), "utf8")).toContain(`Node ${least} or newer`);
  expect(readFileSync(join(root, "AGENTS.md"), "utf8")).toContain(`Node ${least}`);
  // Alone, without a Node of its own.
  const alone = join(folder, "alone");
  for (const name of ["bin/galen.js", "package.json"]) {
    mkdirSync(join(alone, "bin"), { recursive: true });
    copyFileSync(join(root, name), join(alone, name));
  }
  const old = `data:text/javascript,Object.defineProperty(process.versions, "node", { value: "18.20.4" })`;
  const binary = join(alone, "bin/galen.js");
  const { status, stderr } = spawnSync(process.execPath, ["--import", old, binary, "--version"], { encoding: "utf8" });
  expect(stderr).toContain(`expected Node ${least} or newer, got 18.20.4`);
  expect(status).toBe(1);
});
