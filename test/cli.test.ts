/** The `galen` command as a child process on small real input: help, results, errors, exit codes, signals. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Command } from "../src/cli/command.ts";
import { commandsOf, galen as commands } from "../src/cli/commands/index.ts";
import { words } from "./support/world.ts";
import { generateOptions } from "../src/cli/generate-options.ts";
import { valueOf } from "../src/metrics/report.ts";
import { recipes } from "../src/recipes/index.ts";
import { learnableKinds } from "../src/tokenizers/registry.ts";
import { devices } from "../src/runtime/session.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const binary = join(root, "bin/galen.js");
const model = join(root, "test/goldens/biogpt/model");
const sample = join(root, "samples/pubmed-sample.xml");
const goldens = JSON.parse(readFileSync(join(root, "test/goldens/biogpt/goldens.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "galen-cli-"));
const env = { ...process.env, GALEN_SOURCE: "1" };
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  code: number | null;
  out: string;
  err: string;
}

function galen(args: readonly string[], input = "", node: readonly string[] = []): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, binary, ...args], {
    cwd: folder,
    env,
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    timeout: 100_000,
  });
  return { code: status, out: stdout, err: stderr };
}

/** stdout of a run that must succeed. */
function result(...args: string[]): string {
  const { code, out, err } = galen(args);
  expect(err).not.toMatch(/error/);
  expect(code).toBe(0);
  return out;
}

const all = commandsOf(commands).map(({ name, entry }) => ({ path: name.split(" "), entry }));

describe("galen --help", () => {
  test("lists every command, and the version is the package's", () => {
    const help = result("--help");
    for (const { path, entry } of all)
      expect(help).toMatch(new RegExp(`^  ${path.join(" ")} +${escape(entry.about)}$`, "m"));
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(result("--version").trim()).toBe(version);
  });

  test.each(all.map(({ path, entry }) => [path.join(" "), entry] as const))(
    "%s has a description, its options and two or three examples that its parser takes",
    async (name, entry) => {
      const help = result(...name.split(" "), "--help");
      const { default: command }: { default: Command } = await entry.load();
      expect(help).toContain(`Usage\n  galen ${name}`);
      for (const [option, { about }] of Object.entries(command.options)) {
        expect(help).toContain(`--${option}`);
        expect(help.replace(/\s+/g, " ")).toContain(about);
      }
      expect(command.examples.length).toBeGreaterThanOrEqual(2);
      expect(command.examples.length).toBeLessThanOrEqual(3);
      const { parseArguments } = await import("../src/cli/arguments.ts");
      for (const [line] of command.examples) {
        expect(line.startsWith(name)).toBe(true);
        expect(() => parseArguments(words(line).slice(name.split(" ").length), command)).not.toThrow();
      }
      for (const line of help.split("\n").filter((line) => !line.startsWith("  galen"))) {
        expect(line.length, line).toBeLessThanOrEqual(100);
      }
    },
  );

  test("loads neither ONNX Runtime nor any other package, of a command's help neither", () => {
    const hook = `import { registerHooks } from "node:module"; registerHooks({ resolve(name, context, next) {
      const found = next(name, context); process.stderr.write(found.url + "\\n"); return found; } });`;
    const watch = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`];
    for (const args of [["--help"], ...all.map(({ path }) => [...path, "--help"])]) {
      const loaded = galen(args, "", watch).err.trim().split("\n");
      const own = loaded.filter((url) => url.startsWith("file:") && !url.endsWith("/bin/galen.js"));
      expect(own.length).toBeGreaterThan(3);
      for (const url of own) expect(url).toMatch(/\/src\/(cli\/.*|errors|suggest|recipes\/list|eval\/suites)\.ts$/);
    }
  });

  test("names the recipes, kinds of tokenizer, devices and generation options that there are", async () => {
    const { default: learn } = await import("../src/cli/commands/tokenizer-train.ts");
    expect(learn.options["family"]!.choices).toEqual(learnableKinds);
    const { default: train } = await import("../src/cli/commands/train.ts");
    expect(train.positionals!["recipe"]!.choices).toEqual(Object.keys(recipes));
    expect(train.options["device"]!.choices).toEqual(devices);
    const options = readFileSync(join(root, "src/generate/options.ts"), "utf8");
    const declared = /interface GenerateOptions \{([^]*?)\n\}/.exec(options)![1]!;
    const names = [...declared.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name!);
    const camel = Object.keys(generateOptions).map((name) =>
      name.replace(/-([a-z])/g, (_, c: string) => c.toUpperCase()),
    );
    // Functions have no place on a command line, Ctrl-C is its signal, and a flag that is on at times needs one that
    // switches it off.
    const given = camel
      .filter((name) => name !== "noRepeatGuard")
      .map((name) => (name === "noLookup" ? "lookup" : name));
    const ofPrograms = ["ids", "prompts", "processors", "signal", "cacheBytes", "onEnd", "numbers"];
    expect(new Set([...ofPrograms, ...given])).toEqual(new Set(names));
  });
});

describe("galen called the wrong way", () => {
  test.each([
    [[], "Commands"],
    [["trian"], `galen: expected one of ${Object.keys(commands.commands).join(", ")}, got "trian"`],
    [["corpus", "eat"], 'galen corpus: expected one of import, run, train-quality, report, got "eat"'],
    [["--verbose"], "--verbose: unknown option"],
    [["forward", "--ids", "2"], "expected --model MODEL, got none"],
    [["forward", "--model", "--ids", "2"], '--model MODEL: expected a value, got "--ids"'],
    [["forward", "--model"], "--model MODEL: expected a value, got none"],
    [
      ["forward", "--model", model, "--ids", "2,x"],
      '--ids: expected whole numbers with commas between, such as 2,9,33, got "x"',
    ],
    [
      ["forward", "--model", model, "--ids", "2", "--thread", "1"],
      '--thread: unknown option\nHint: did you mean "--threads"? the options are --model, --ids',
    ],
    [
      ["forward", "--model", model, "--ids", "2", "--threads", "0"],
      '--threads: expected a whole number from 1, got "0"',
    ],
    [
      ["forward", "--model", model, "--ids", "2", "--device", "tpu"],
      "--device: expected one of cpu, webgpu, cuda, auto",
    ],
    [["forward", "--model", model, "--ids", "2", "9"], 'expected options only, got "9" as well'],
    [["forward", "--json=yes", "--model", model], '--json: expected no value, got "yes"'],
    [["finetune", "ddi"], "tasks are recipes now: galen train TASK"],
    [["train"], "expected RECIPE, one of those in its help, or a .json file, got none"],
    [["train", "gpt"], ', got "gpt"'],
    [["generate", "--model", model], "expected PROMPT…, --prompts FILE, --ids IDS or --chat TEXT, got none"],
    [["export", "onnx", "--model", model, "--output", "x", "--inline", "--external"], "expected one of them, got both"],
  ])("%j: exit code 2 and what is allowed", (args, message) => {
    const { code, out, err } = galen(args);
    expect(err).toContain(message);
    expect(code).toBe(2);
    expect(out).toBe("");
  });

  test.each([
    [["forward", "--model", "nowhere", "--ids", "2"], "error: nowhere/config.json: expected a model directory"],
    [["forward", "--model", model, "--ids", "2,61"], "61"],
    [["tokenize", "--tokenizer", model], "expected vocab.json and merges.txt"],
    [["corpus", "import", "nothing.xml", "--output", "x"], "nothing.xml: expected a file or folder"],
    [["generate", "--model", model, "--ids", "2", "--max-new-tokens", "9999"], "--max-new-tokens can be at most"],
    [["export", "onnx", "--model", model, "--output", join(binary, "x.onnx")], "mkdir"],
    [
      ["generate", "--model", model, "--ids", "2", "--num-return-sequences", "3"],
      "num-return-sequences: expected at most --num-beams (1), got 3",
    ],
  ])("%j: exit code 1, the reason without a stack", (args, message) => {
    const { code, out, err } = galen(args);
    expect(err).toMatch(/^error: /m);
    expect(err).toContain(message);
    expect(err).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
    expect(out).toBe("");
  });
});

describe("galen on a model", () => {
  const ids = (rows: number[][]): string => rows.map((row) => row.join(",")).join(";");

  test("forward prints transformers' logits, as JSON and as lines", () => {
    const { logits } = JSON.parse(result("forward", "--model", model, "--ids", ids(goldens.ids), "--json"));
    const expected = goldens["logits/none"] as number[];
    expect(logits.dims).toEqual([3, 7, 61]);
    expect(logits.data.length).toBe(expected.length);
    expected.forEach((value, i) => expect(Math.abs(logits.data[i] - value)).toBeLessThan(1e-4));

    const [head, ...lines] = result("forward", "--model", model, "--ids", ids(goldens.ids)).trim().split("\n");
    expect(head).toBe("logits [3, 7, 61]");
    expect(lines.length).toBe(21);
    expect(lines.flatMap((line) => line.split(" ").map(Number))).toEqual(logits.data);
  });

  test("forward takes a mask", () => {
    const masked = ["--ids", ids(goldens.ids), "--mask", ids(goldens.left), "--threads", "1", "--device", "cpu"];
    const { logits } = JSON.parse(result("forward", "--model", model, ...masked, "--json"));
    const expected = goldens["logits/left"] as number[];
    (goldens.left as number[][]).flat().forEach((kept, i) => {
      if (kept === 0) return;
      for (let v = i * 61; v < (i + 1) * 61; v++) expect(Math.abs(logits.data[v] - expected[v]!)).toBeLessThan(1e-4);
    });
  });

  test("settings belong to the command behind files, and to the option that is for settings", async () => {
    const { parseArguments } = await import("../src/cli/arguments.ts");
    const { default: train } = await import("../src/cli/commands/train.ts");
    const { default: suite } = await import("../src/cli/commands/evaluate-suite.ts");
    const trained = parseArguments("ner-gene --data a b batch=4 --output c epochs=1".split(" "), train);
    expect(trained).toMatchObject({ recipe: "ner-gene", data: ["a", "b"], settings: ["batch=4", "epochs=1"] });
    const words = "ner --tune --set epochs=1 batch=4 --model m --data d --output o";
    expect(parseArguments(words.split(" "), suite)).toMatchObject({
      benchmarks: ["ner"],
      set: ["epochs=1", "batch=4"],
    });
  });

  test.each([[], ["--num-beams", "2"]])("generate stops on a signal, with %o", async (...flags) => {
    const { default: command } = await import("../src/cli/commands/generate.ts");
    const { parseArguments } = await import("../src/cli/arguments.ts");
    const args = parseArguments(["--model", model, "--ids", "2,9", ...flags], command) as never;
    const refuse = (): never => expect.unreachable("nothing is written");
    const output = { write: refuse, json: refuse, note: refuse };
    const run = command.run({ args, json: false, output, progress: refuse, signal: AbortSignal.abort() });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    expect(command.stoppable).toBe(true);
  });

  test("generate gives transformers' ids", () => {
    const cases = (
      goldens.generate as { model: string; options: Record<string, unknown>; prompt: number[]; sequences: number[][] }[]
    )
      .filter(
        ({ model, options }) => model === "plain" && Object.values(options).every((value) => typeof value === "number"),
      )
      .slice(0, 6);
    expect(cases.length).toBe(6);
    for (const { options, prompt, sequences } of cases) {
      const flags = Object.entries(options).flatMap(([name, value]) => [
        `--${name.replaceAll("_", "-")}`,
        String(value),
      ]);
      const lines = result("generate", "--model", model, "--ids", prompt.join(","), ...flags, "--json")
        .trim()
        .split("\n");
      expect(lines.map((line) => JSON.parse(line).ids)).toEqual(sequences);
    }
  });

  test("export onnx writes one file, or two", () => {
    expect(result("export", "onnx", "--model", model, "--output", "one.onnx")).toMatch(
      /^one\.onnx .* inputs ids, mask, output logits\n$/,
    );
    const exported = JSON.parse(
      result("export", "onnx", "--model", model, "--output", "two.onnx", "--external", "--portable", "--json"),
    );
    expect(exported.data.path).toBe("two.onnx.data");
    for (const name of ["one.onnx", "two.onnx", "two.onnx.data"]) expect(existsSync(join(folder, name))).toBe(true);
  });
});

describe("galen from PubMed XML to text", () => {
  beforeAll(() => {
    result("tokenizer", "train", sample, "--output", "tokenizer", "--vocab-size", "1000");
    result("tokenize", "--tokenizer", "tokenizer", "--output", "tokens", "--held-out", "0.1", sample);
  });

  const text = "β-blockers lower blood pressure.";

  test("corpus import makes a dataset, filters it and says what it read", () => {
    const manifest = JSON.parse(result("corpus", "import", sample, "--output", "all", "--json"));
    expect(manifest.records).toBeGreaterThanOrEqual(150);
    expect(manifest.output).toBe("all");
    writeFileSync(join(folder, "ids.txt"), "# two of the sample\n900000001\n900000002\n");
    expect(result("corpus", "import", sample, "--output", "some", "--ids", "ids.txt", "--language", "eng")).toMatch(
      /^some {2}2 records of \d+ read/,
    );
    const taken = galen(["corpus", "import", sample, "--output", "some"]);
    expect(taken).toMatchObject({ code: 1, out: "" });
    expect(taken.err).toContain("overwrite");
    expect(
      JSON.parse(result("corpus", "import", sample, "--output", "some", "--overwrite", "--workers", "2", "--json"))
        .records,
    ).toBe(manifest.records);
  });

  test("tokenize prints one line a text, with offsets into it, whatever else looks like a line's end", () => {
    const lines = [text, "", "one\u2028line", "last"];
    const { code, out } = galen(["tokenize", "--tokenizer", "tokenizer"], lines.join("\r\n"));
    expect(code).toBe(0);
    const encoded = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(encoded.length).toBe(lines.length);
    expect(Object.keys(encoded[0])).toEqual(["ids", "tokens", "offsets"]);
    const [start, end] = encoded[0].offsets[1];
    expect(text.slice(start, end).startsWith("β")).toBe(true);
    writeFileSync(join(folder, "lines.txt"), lines.join("\n"));
    expect(result("tokenize", "--tokenizer", "tokenizer", "lines.txt")).toBe(out);
  });

  test("documents may come on stdin, as JSON lines", () => {
    const line = (i: number): string => JSON.stringify({ id: `d${i}`, title: "T.", text: `${text} ${i}` });
    const input = Array.from({ length: 20 }, (_, i) => line(i)).join("\n");
    writeFileSync(join(folder, "piped.jsonl"), input);
    const args = ["tokenize", "--tokenizer", "tokenizer", "--json", "--output"];
    const { output: _, ...manifest } = JSON.parse(result(...args, "from-file", "piped.jsonl"));
    const { code, out } = galen([...args, "from-stdin", "-"], input);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ output: "from-stdin", ...manifest });
    expect(manifest.train.documents + manifest.valid.documents).toBe(20);
    const broken = galen([...args.filter((arg) => arg !== "--json"), "from-broken", "-"], `${input}\n{"text": 1}\n`);
    expect(broken.err).toContain('1 documents could not be read, the first: stdin:21: expected a string in "text"');
  });

  test("a reader that has enough is no error", () => {
    const command = `"${process.execPath}" "${binary}" tokenize --tokenizer tokenizer "${sample}"`;
    const piped = spawnSync("bash", ["-c", `${command} | head -n 1; exit \${PIPESTATUS[0]}`], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    expect(piped.status).toBe(0);
    expect(piped.stderr).toBe("");
    expect(piped.stdout.split("\n").length).toBe(2);
  });

  test("a WordPiece tokenizer is learned too", () => {
    const learned = JSON.parse(
      result(
        "tokenizer",
        "train",
        sample,
        "--output",
        "wordpiece",
        "--family",
        "bert",
        "--vocab-size",
        "500",
        "--json",
      ),
    );
    expect(learned).toMatchObject({ family: "bert", vocabSize: 500, failures: 0 });
    const { out } = galen(["tokenize", "--tokenizer", "wordpiece"], text);
    expect(JSON.parse(out).tokens[0]).toBe("[CLS]");
  });

  test("train, evaluate and generate follow on one another; settings are applied", () => {
    const lines = result(
      ..."train biogpt-nano steps=3 --scale debug --data tokens --tokenizer tokenizer".split(" "),
      ..."--output run --threads 1 --json".split(" "),
    );
    const events = lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ type: "result", step: 3, stopped: false, model: join("run", "model") });
    expect(events.filter(({ type }) => type === "step").length).toBe(3);
    expect(JSON.parse(readFileSync(join(folder, "run/run.json"), "utf8")).threads).toBe(1);

    const onFiles = JSON.parse(result("evaluate", "perplexity", "--model", "run/model", "tokens/valid", "--json"));
    const perplexity = valueOf(onFiles, "perplexity");
    expect(perplexity).toBeGreaterThan(100);
    expect(valueOf(onFiles, "word_perplexity")).toBeGreaterThan(perplexity);
    expect(valueOf(onFiles, "bits_per_byte")).toBeGreaterThan(0);
    expect(result("evaluate", "perplexity", "--model", "run/model", "--stride", "64", sample)).toMatch(
      /^perplexity \(version 1\): [\d,]+ examples\nAs published\n +\d+\.\d{4} +exp of the mean/,
    );

    const streamed = result("generate", "--model", "run/model", "Aspirin is", "--max-new-tokens", "5");
    const whole = JSON.parse(
      result("generate", "--model", "run/model", "Aspirin is", "--max-new-tokens", "5", "--json"),
    );
    expect(streamed).toBe(`${whole.text}\n`);
    writeFileSync(join(folder, "prompts.txt"), "Aspirin is\n\nInsulin\n");
    const beams = result(
      "generate",
      "--model",
      "run/model",
      "--prompts",
      "prompts.txt",
      "--num-beams",
      "2",
      "--no-repeat-ngram-size",
      "2",
    );
    expect(beams.trim().split("\n").length).toBe(2);
  });

  test("a run is not written over another", () => {
    const args = "train biogpt-nano steps=1 --scale debug --data tokens --tokenizer tokenizer --output once".split(" ");
    result(...args, "--json");
    const again = galen(args);
    expect(again).toMatchObject({ code: 1, out: "" });
    expect(again.err).toContain("go on with --resume");
  });

  test("nothing that is there is replaced unasked, and nothing of others at all", () => {
    const again = ["tokenizer", "train", sample, "--output", "tokenizer", "--vocab-size", "1000"];
    expect(galen(again).err).toContain("expected a folder without a tokenizer, got one with");
    result(...again, "--overwrite");
    const tokens = ["tokenize", "--tokenizer", "tokenizer", "--output", "tokens", sample];
    expect(galen(tokens).err).toContain("tokens: expected a folder without token files, got one with");
    result(...tokens, "--overwrite");
    // A model's tokenizer is the model's.
    const model = ["tokenizer", "train", sample, "--output", "once/model", "--overwrite"];
    expect(galen(model).err).toContain("once/model: expected an empty folder for a tokenizer, got one with");
    const start = ["quickstart", "--data", sample, "--output", "tokenizer", "--overwrite"];
    expect(galen(start).err).toContain("tokenizer: expected an empty folder for a quickstart, got one with");
  });

  test("no command writes where it reads", () => {
    const pairs = join(folder, "own-pairs.jsonl");
    writeFileSync(pairs, '{"query": "a", "document": "b"}\n');
    const commands = [
      ["mine", "own-pairs.jsonl", "--model", "bm25", "--output", "./own-pairs.jsonl"],
      ["evaluate", "perplexity", "tokens/valid.bin", "--model", "once/model", "--output", "tokens"],
      ["train", "biogpt-nano", "--data", "tokens", "--tokenizer", "tokenizer", "--output", "tokens"],
      ["corpus", "import", sample, "--output", join(sample, "..")],
    ];
    const before = readFileSync(join(folder, "tokens/train.bin"));
    for (const command of commands) {
      expect(galen(command), command.join(" ")).toMatchObject({
        code: 1,
        out: "",
        err: expect.stringContaining("expected another place than the input's") as string,
      });
    }
    expect(readFileSync(pairs, "utf8")).toContain('"query"');
    expect(readFileSync(join(folder, "tokens/train.bin")).equals(before)).toBe(true);
  });

  test.each(["SIGINT", "SIGHUP"] as const)(
    "a first signal (%s) saves and stops, with exit code 1; --resume goes on there",
    async (signal) => {
      const args = ["train", "biogpt-nano", "steps=100000", "save.every=0", "--scale", "debug", "--data", sample];
      const rest = ["--tokenizer", "tokenizer", "--output", `stopped-${signal}`];
      const child = spawn(process.execPath, [binary, ...args, ...rest], {
        cwd: folder,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const limit = setTimeout(() => child.kill("SIGKILL"), 100_000);
      let out = "";
      let err = "";
      child.stdout.on("data", (chunk) => (out += String(chunk)));
      child.stderr.on("data", (chunk) => {
        err += String(chunk);
        // Twice at once, as npm and a terminal together send it.
        if (/update 2: /.test(err) && !err.includes("stopping")) for (let i = 0; i < 2; i++) child.kill(signal);
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      clearTimeout(limit);
      expect(err).toContain("stopping");
      expect(code).toBe(1);
      const step = Number(/stopped and saved at update (\d+)/.exec(out)![1]);
      const lines = result(...args, `steps=${step + 1}`, ...rest, "--resume", "--change", "steps", "--json")
        .trim()
        .split("\n");
      expect(JSON.parse(lines.at(-1)!)).toMatchObject({ type: "result", step: step + 1, stopped: false });
      expect(lines.map((line) => JSON.parse(line)).find(({ type }) => type === "started").step).toBe(step);
    },
  );
});

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
