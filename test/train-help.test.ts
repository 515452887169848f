/** Help about a recipe says everything about it, and mistyped names are answered with the right ones. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import { quoted } from "../src/cli/output.ts";
import { isRecipe, needsOf, purposes, recipeList, recipes } from "../src/recipes/index.ts";
import { nearest } from "../src/suggest.ts";
import { settingsOf, withSettings } from "../src/train/index.ts";
import { stdoutOf } from "./support/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-train-help-"));
afterAll(() => rmSync(folder, { recursive: true }));

const oneLine = (text: string): string => text.replace(/\s+/g, " ");

/** Paths of all that a configuration holds, but for what is one value to a user. */
function leaves(value: unknown, path = ""): string[] {
  const whole = value === null || typeof value !== "object" || Array.isArray(value) || path === "schema";
  if (whole) return [path];
  return Object.entries(value).flatMap(([key, one]) => leaves(one, path === "" ? key : `${path}.${key}`));
}

describe.each(Object.keys(recipeList).filter(isRecipe))("galen train %s --help", (name) => {
  const info = recipeList[name];
  const config = recipes[name]();

  test("says what it makes, what it needs first, its data and how long it takes", async () => {
    const help = oneLine(await stdoutOf("train", name, "--help"));
    const needs = needsOf(info).flat();
    for (const text of [info.about, info.data, info.line, ...needs]) expect(help).toContain(oneLine(text));
    expect(help).toMatch(/Time .*(about \d|less than)/);
    expect(Object.keys(purposes)).toContain(info.purpose);
    if (info.line.startsWith("{")) expect(typeof JSON.parse(info.line)).toBe("object");
  });

  test("lists every setting with its default and its meaning, and takes them as they stand", async () => {
    const settings = settingsOf(config);
    const { recipe: _, objective, ...common } = config;
    const { kind: __, ...own } = objective;
    expect(settings.map(({ path }) => path).sort()).toEqual([...leaves(own), ...leaves(common)].sort());
    const help = oneLine(await stdoutOf("train", name, "--help"));
    for (const { path, value, about } of settings) {
      expect(about, path).not.toBe("");
      expect(help).toContain(`${path}=${value} ${about}`);
    }
    expect(
      withSettings(
        config,
        settings.map(({ path, value }) => `${path}=${value}`),
      ),
    ).toEqual(config);
  });
});

test("galen help COMMAND is its --help, of a recipe too; recipes are listed by purpose", async () => {
  expect(await stdoutOf("help", "train")).toBe(await stdoutOf("train", "--help"));
  expect(await stdoutOf("help", "train", "colbert")).toBe(await stdoutOf("train", "colbert", "--help"));
  expect(await stdoutOf("help")).toBe(await stdoutOf("--help"));
  const help = await stdoutOf("train", "--help");
  for (const title of Object.values(purposes)) expect(help).toContain(`\nRecipes: ${title}\n`);
  for (const [name, { about }] of Object.entries(recipeList)) expect(oneLine(help)).toContain(` ${name} ${about}`);
});

async function complaint(...args: string[]): Promise<string> {
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean(said.push(String(text))));
  try {
    expect(await main(args)).not.toBe(0);
  } finally {
    spy.mockRestore();
  }
  return said.join("");
}

test("a mistyped command, option, choice, recipe, setting or folder is answered with the right one", async () => {
  mkdirSync(join(folder, "runs/nano/model"), { recursive: true });
  writeFileSync(join(folder, "runs/nano/model/config.json"), "{}");
  writeFileSync(join(folder, "texts.jsonl"), '{"text": "a"}\n');
  const at = (path: string): string => join(folder, path);
  const training = ["--tokenizer", at("runs"), "--data", at("texts.jsonl"), "--output", at("out")];
  const cases: [args: string[], meant: string][] = [
    [["trian"], '"train"'],
    [["evaluate", "perplexty", "--model", "x"], '"perplexity"'],
    [["corpus", "imprt"], '"import"'],
    [["embed", "--modle", "x"], '"--model"'],
    [["convert", "x", "--output", "y", "--to", "safetensor"], '"safetensors"'],
    [["train", "biogtp-nano", "--data", "x", "--output", "y"], '"biogpt-nano"'],
    [["train", "biogpt-nano", "schedule.pea=1", ...training], '"schedule.peak"'],
    [["train", "biogpt-nano", "peak=1", ...training], '"schedule.peak"'],
    [["train", "biogpt-nano", "acumulate=1", ...training], '"accumulate"'],
    [["generate", "--model", at("runs/nano"), "a"], `--model ${at("runs/nano/model")}?`],
    [["tag", "--model", at("run/nano/model"), "a"], `--model ${at("runs/nano/model")}?`],
    [["embed", "--model", at("runs/nanno"), "a"], `--model ${at("runs/nano/model")}?`],
    [["tokenize", "--tokenizer", at("runs/nano"), at("texts.jsonl")], `--tokenizer ${at("runs/nano/model")}?`],
  ];
  for (const [args, meant] of cases) expect(await complaint(...args), args.join(" ")).toContain(meant);
});

test("only what is near is meant", () => {
  expect(nearest("banana", ["train", "embed"])).toBeUndefined();
  expect(nearest("train", ["train", "trail"])).toBe("trail");
  expect(nearest("ip", ["id", "mine"])).toBe("id");
  expect(nearest("xy", ["id"])).toBeUndefined();
});

test("paths in suggested commands are quoted where a shell would split them", () => {
  expect(quoted("runs/nano/model")).toBe("runs/nano/model");
  expect(quoted("my runs/it's")).toBe("'my runs/it'\\''s'");
  const { stdout } = spawnSync("sh", ["-c", `printf %s ${quoted("a $b 'c' \"d\"")}`], { encoding: "utf8" });
  expect(stdout).toBe("a $b 'c' \"d\"");
});
