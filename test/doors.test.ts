/**
 * The package's doors (`exports` of package.json), walked in the source: what each one reaches, that a name stands behind
 * one of them, that public functions say what they do, and that the command uses nothing that a program cannot.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "src");
const read = (path: string): string => readFileSync(path, "utf8");
const withoutComments = (code: string): string => code.replace(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");

/** "." or "./tokenizers" → its file in src/. */
const doors = Object.entries(
  (JSON.parse(read(join(root, "package.json"))) as { exports: Record<string, string | { default: string }> }).exports,
).flatMap(([name, target]): [string, string][] =>
  typeof target === "string" ? [] : [[name, target.default.replace("./dist/", "").replace(/\.js$/, ".ts")]],
);

/** The file of src/ that an import names; undefined for a package or a module of Node. */
function resolve(file: string, from: string): string | undefined {
  return from.startsWith(".") ? relative(source, join(source, dirname(file), from)) : undefined;
}

/** Names in braces, `type` taken away: what is meant in the other file, and what it is called here. */
function namesIn(braces: string): [theirs: string, ours: string][] {
  return braces
    .split(",")
    .map((item) => item.trim().replace(/^type /, ""))
    .filter((item) => item !== "")
    .map((item) => {
      const [theirs, ours = theirs] = item.split(/ as |: /) as [string, string?];
      return [theirs, ours];
    });
}

interface Declared {
  readonly file: string;
  readonly original: string;
}

const exported = new Map<string, ReadonlyMap<string, Declared>>();

/** What a file exports, by name: where each is declared. */
function exportsOf(file: string): ReadonlyMap<string, Declared> {
  const known = exported.get(file);
  if (known !== undefined) return known;
  const code = withoutComments(read(join(source, file)));
  const found = new Map<string, Declared>();
  const declaration = /^export (?:async )?(?:function\*?|const|class|interface|type) (\w+)/gm;
  for (const [, name] of code.matchAll(declaration)) found.set(name!, { file, original: name! });
  for (const [, from] of code.matchAll(/^export (?:type )?\* from "([^"]+)"/gm)) {
    for (const [name, declared] of exportsOf(resolve(file, from!)!)) found.set(name, declared);
  }
  for (const [, braces, from] of code.matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)"/gm)) {
    const theirs = exportsOf(resolve(file, from!)!);
    for (const [their, our] of namesIn(braces!)) found.set(our, theirs.get(their) ?? { file: from!, original: their });
  }
  exported.set(file, found);
  return found;
}

/** What `file` and all that it imports, in turn, take from packages and from Node; types are nothing at run time. */
function reaches(file: string): string[] {
  const seen = new Set([file]);
  const taken = new Set<string>();
  for (const one of seen) {
    const code = withoutComments(read(join(source, one)));
    const imports = /^(?:import|export)(?! type)[^"();=]*"([^"]+)";|\bimport\("([^"]+)"\)/gm;
    for (const [, named, loaded] of code.matchAll(imports)) {
      const from = (named ?? loaded)!;
      const path = resolve(one, from);
      if (path === undefined) taken.add(`${from} (by ${one})`);
      else seen.add(path);
    }
  }
  return [...taken];
}

/** What stands behind the doors. */
const everything = doors.flatMap(([door, file]) =>
  [...exportsOf(file)].map(([name, declared]) => ({ door, name, ...declared })),
);

describe("doors", () => {
  const promise = /[^.]*\brun in browsers too\./.exec(read(join(root, "README.md")))?.[0] ?? "";
  const promised = [...promise.matchAll(/`galen(\/\w+)`/g)].map(([, name]) => `.${name}`);

  test("that the README promises for browsers are some", () => expect(promised.length).toBeGreaterThan(2));

  test.each(promised)("%s reaches neither node:* nor ONNX Runtime", (name) => {
    const [, file] = doors.find(([door]) => door === name)!;
    expect(reaches(file).filter((from) => /^node:|^onnxruntime/.test(from))).toEqual([]);
  });

  test("lead to a name one way: a name stands behind one of them, and at the root as well where it is the same", () => {
    const wrong = everything.flatMap(({ door, name, file }) =>
      everything
        .filter((other) => other.name === name && other.door > door)
        .filter((other) => door !== "." || other.file !== file)
        .map((other) => `${name}: ${door} (${file}) and ${other.door} (${other.file})`),
    );
    expect(wrong).toEqual([]);
  });

  test("name only what there is", () => {
    const missing = everything.filter(({ file, original }) => exported.get(file)?.has(original) !== true);
    expect(missing.map(({ door, name }) => `${door}: ${name}`)).toEqual([]);
  });

  test("lead to functions that say what they do", () => {
    const bare = everything.filter(({ file, original: name }) => {
      const code = read(join(source, file));
      const declaration = `^export (?:async )?function\\*? ${name}\\b|^export const ${name}\\b.*=>`;
      const at = code.search(new RegExp(declaration, "m"));
      return at >= 0 && !code.slice(0, at).endsWith("*/\n");
    });
    expect([...new Set(bare.map(({ file, original }) => `${file}: ${original}`))]).toEqual([]);
  });
});

test("the command uses nothing of the library that a program cannot", () => {
  const open = new Set(everything.map(({ file, original }) => `${file}: ${original}`));
  const files = readdirSync(join(source, "cli"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  const used = files.flatMap((name) => {
    const file = join("cli", name);
    const code = withoutComments(read(join(source, file)));
    const imports = [
      ...code.matchAll(/import (?:type )?\{([^}]*)\} from "([^"]+)"/g),
      ...code.matchAll(/const \{([^}]*)\} = await import\("([^"]+)"\)/g),
    ];
    return imports.flatMap(([, braces, from]) => {
      const path = resolve(file, from!);
      // A hint's words are the command's own affair.
      if (path === undefined || path.startsWith("cli/") || path === "suggest.ts") return [];
      return namesIn(braces!).map(([theirs]) => {
        const declared = exportsOf(path).get(theirs);
        return { file, what: `${declared?.file ?? path}: ${declared?.original ?? theirs}` };
      });
    });
  });
  expect(used.length).toBeGreaterThan(50);
  const closed = used.filter(({ what }) => !open.has(what));
  expect(closed.map(({ file, what }) => `${what} (${file})`)).toEqual([]);
});
