/** Training texts in files, what is kept of them, and which of it another run may take. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ConfigError, DataError } from "../errors.ts";
import { seenIn, writeSeen } from "./seen.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-seen-"));
afterAll(() => rmSync(folder, { recursive: true }));

const words = (name: string, count: number): string => Array.from({ length: count }, (_, i) => `${name}${i}`).join(" ");
const exampleOf = (id: string, count = 20): { id: string; text: string; gold: string } => ({
  id,
  text: words(id, count),
  gold: "yes",
});
const benchmark = {
  source: ({ text }: { text: string }) => text,
  target: ({ gold }: { gold: unknown }) => String(gold),
};
const sets = [
  { benchmark, examples: ["a", "b", "c"].map((id) => exampleOf(id)) },
  { benchmark, examples: [exampleOf("d"), exampleOf("short", 3)] },
];
const texts = join(folder, "texts.jsonl");
const lines = [{ text: words("a", 20) }, { text: `x ${words("b", 10)} y` }, { text: words("d", 14) }];
writeFileSync(texts, `${lines.map((one) => JSON.stringify(one)).join("\n")}\n{"text": 5}\nno JSON\n`);

test("what is kept is what was found, and holds no word of it; what cannot be read is counted", async () => {
  const found = await seenIn(sets, [texts]);
  expect(found.overlaps.map((some) => some.map(({ verdict }) => verdict))).toEqual([
    ["contaminated", "clean", "clean"],
    ["contaminated", "short"],
  ]);
  expect(found).toMatchObject({ unread: 2, texts: { documents: 3 } });
  expect(found.failures[0]).toMatch(/texts\.jsonl:4: expected a string in "text"/);
  const path = join(folder, "seen.json");
  await writeSeen(path, sets, found);
  expect(await seenIn(sets, [path])).toEqual(found);
  expect(await seenIn([sets[1]!], [path])).toEqual({ ...found, overlaps: [found.overlaps[1]] });
  expect(readFileSync(path, "utf8")).not.toMatch(/b0|yes/);
});

test("other texts have another fingerprint; the same in another file have the same", async () => {
  const other = join(folder, "other.txt");
  writeFileSync(other, words("a", 20));
  const alone = join(folder, "alone.jsonl");
  writeFileSync(alone, `${JSON.stringify(lines[0])}\n`);
  const [all, one, again] = await Promise.all([texts, other, alone].map((path) => seenIn(sets, [path])));
  expect(one!.texts).toEqual(again!.texts);
  expect(one!.texts.digest).not.toBe(all!.texts.digest);
});

test("examples that were not looked for, other rules and damaged files are refused", async () => {
  const path = join(folder, "kept.json");
  await writeSeen(path, sets, await seenIn(sets, [texts]));
  const more = [{ benchmark, examples: [exampleOf("e")] }];
  await expect(seenIn(more, [path])).rejects.toThrow(ConfigError);
  await expect(seenIn(more, [path])).rejects.toThrow(/kept\.json: expected what the texts hold of "e"/);
  const kept = readFileSync(path, "utf8");
  writeFileSync(path, kept.replace('"inARow":13', '"inARow":50'));
  await expect(seenIn(sets, [path])).rejects.toThrow(/expected what .*13.* found, got .*50/);
  writeFileSync(path, kept.slice(0, 200));
  await expect(seenIn(sets, [path])).rejects.toThrow(DataError);
  writeFileSync(path, "{}");
  await expect(seenIn(sets, [path])).rejects.toThrow(/kept\.json: format: expected/);
  const hint = expect.stringContaining("--seen TEXTS --output DIR") as unknown;
  await expect(seenIn(sets, [join(folder, "nowhere.json")])).rejects.toMatchObject({ hint });
});
