/**
 * Writes the API reference, docs/api/, from the doc comments of what the package's doors export. TypeDoc knows TypeScript
 * up to 6, so it comes by npx with one of its own, at versions that are fixed here.
 * Run: npm run api
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const doors = Object.values(exports).flatMap(({ default: file }) =>
  file === undefined ? [] : [file.replace("./dist/", "src/").replace(/\.js$/, ".ts")],
);
const packages = ["typedoc@0.28.20", "typescript@5.9.3"].flatMap((name) => ["--package", name]);
const options = [
  "--tsconfig",
  "tsconfig.build.json",
  "--out",
  "docs/api",
  "--readme",
  "none",
  "--excludeExternals",
  "--disableSources",
];
const { status } = spawnSync(
  "npx",
  [
    "--yes",
    ...packages,
    "typedoc",
    ...options,
    "--treatWarningsAsErrors",
    "--validation.notExported",
    "false",
    ...doors,
  ],
  { cwd: root, stdio: "inherit" },
);
process.exitCode = status ?? 1;
