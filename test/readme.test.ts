import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { families } from "../src/models/index.ts";
import { type RecipeInfo, recipeList, startOf } from "../src/recipes/list.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");
const tree = /```\nbin\/([\s\S]*?)```/.exec(readme)![0];

test("the tree in the README is what src/ holds", () => {
  const named = [...tree.matchAll(/^ {2}([\w.-]+)\/? /gm)].map(([, name]) => name);
  const present = readdirSync(`${root}src`).filter(
    (name) => !name.endsWith(".test.ts") && name !== "errors.ts" && name !== "index.ts",
  );
  expect(named.sort()).toEqual(present.sort());
});

test("the recipes in the README are those that there are", () => {
  const rows = Object.entries<RecipeInfo>(recipeList).map(([name, { about, model, data }]) => {
    return `| \`${name}\` | ${about} | ${startOf[model]} | ${data} |`;
  });
  const table = ["| recipe | what it makes | from | and from `--data` |", "| --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
  expect(/<!-- recipes -->\n\n?([^]*?)\n\n?<!-- \/recipes -->/.exec(readme)?.[1]).toBe(table);
});

test("the README lists every family with its named sizes", () => {
  const table = /<!-- models -->([^]*?)<!-- \/models -->/.exec(readme)![1]!;
  const [, ...rows] = [...table.matchAll(/^\| [^|`]+ \| `([^`]+)` \| (.+) \|$/gm)].map(([, type, sizes]) => [
    type,
    sizes,
  ]);
  const expected = Object.values(families).map(({ modelType, sizes }) => [
    modelType,
    Object.keys(sizes)
      .map((size) => `\`${size}\``)
      .join(", "),
  ]);
  expect(rows.sort()).toEqual(expected.sort());
  expect(readme).toContain(`| model families | [${expected.length}](#models) |`);
});

test("every file and folder that the README and the docs link to exists", () => {
  for (const document of ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/reproduction.md"]) {
    const folder = document.includes("/") ? `${root}docs/` : root;
    for (const [, target] of readFileSync(root + document, "utf8").matchAll(/\]\((?!http)([^)#]+)\)/g)) {
      expect(existsSync(folder + target), `${document}: ${target}`).toBe(true);
    }
  }
});

test("every subpath that the README names is exported, and its file is in the build", () => {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    exports: Record<string, { types: string }>;
  };
  const named = [...readme.matchAll(/`galen\/(\w+)`/g)].map(([, name]) => `./${name}`);
  expect(named.length).toBeGreaterThan(5);
  for (const name of named) {
    const source = exports[name]?.types.replace("./dist/", "src/").replace(".d.ts", ".ts");
    expect(source !== undefined && existsSync(root + source), name).toBe(true);
  }
});
