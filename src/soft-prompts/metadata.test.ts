/** Tasks by name and from files of the user's own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { openTask } from "./metadata.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-task-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("a task", () => {
  test("is a published one, or what a file holds", async () => {
    expect(await openTask("ddi")).toMatchObject({ schema: null, tuning: undefined, task: { name: "ddi" } });
    const schema = { labels: ["b", "a"], kind: "classification", name: "organs" };
    const named = await openTask(file("organs.json", JSON.stringify(schema)));
    expect(named.task.name).toBe("organs");
    // It is written into task.json as it was read.
    expect(JSON.stringify(named.schema)).toBe(JSON.stringify(schema));
  });

  test.each([
    ["a name that there is not", () => "nothing", /^task: expected one of bc5cdr, .*, or a JSON file, got "nothing"/],
    ["no JSON", () => file("broken.json", "{"), /broken\.json: expected JSON, got /],
    ["no object", () => file("list.json", "[1]"), /list\.json: expected object, got \[1\]/],
    ["another kind of task", () => file("kind.json", '{"kind": "poem"}'), /kind\.json: .*kind/s],
    ["a folder", () => folder, /expected a readable file, got EISDIR/],
  ])("is refused: %s", async (_, nameOrPath, message) => {
    const error: unknown = await openTask(nameOrPath()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(message);
  });
});
