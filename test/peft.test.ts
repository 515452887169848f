/** Adapters of peft's (scripts/goldens/adapters.py): merged as peft merges them, refused where they are of another kind. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { convertModel } from "../src/convert.ts";
import { loadModel } from "../src/model.ts";

const goldens = fileURLToPath(new URL("goldens/peft", import.meta.url));
const llama = fileURLToPath(new URL("goldens/llama/llama/model", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-peft-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of a golden adapter, with other settings. */
function changed(name: string, settings: object): string {
  const copy = mkdtempSync(join(folder, `${name}-`));
  cpSync(`${goldens}/${name}`, copy, { recursive: true });
  const path = join(copy, "adapter_config.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...settings }));
  return copy;
}

describe.each(["plain", "patterns", "classes", "turned"])("%s", (name) => {
  const { ids, logits } = JSON.parse(readFileSync(`${goldens}/${name}.json`, "utf8"));

  test("an adapter's folder is a model with the logits of peft's merge_and_unload", async () => {
    await using model = await loadModel(`${goldens}/${name}`, { threads: 1 });
    const found = (await model.forward({ ids })).logits.data;
    expect(found.length).toBe(logits.length);
    found.forEach((value, i) => expect(Math.abs(value - logits[i])).toBeLessThan(1e-4));
  });

  test("merged by convert, it is a directory of its own", async () => {
    const output = join(folder, `${name}-merged`);
    expect((await convertModel({ source: `${goldens}/${name}`, output })).parity.difference).toBe(0);
  });
});

test("a base that is not where the adapter says is named, and may be given", async () => {
  const source = changed("plain", { base_model_name_or_path: "./absent/base" });
  await expect(loadModel(source)).rejects.toThrow(
    /expected an adapter whose base is here, got "\.\/absent\/base"\n.*--base DIR/,
  );
  const output = join(folder, "given");
  expect((await convertModel({ source, base: llama, output })).parity.difference).toBe(0);
  await expect(convertModel({ source: llama, base: llama, output: join(folder, "x") })).rejects.toThrow(
    /base: expected with an adapter's folder/,
  );
});

test.each([
  [{ use_dora: true }, /use_dora: expected false, for DoRA's magnitudes are not read, got true/],
  [{ peft_type: "IA3" }, /peft_type: expected LORA, got IA3/],
  [{ bias: "all" }, /bias: expected none, got all/],
  [{ r: 5 }, /expected lora_A \[5, inputs\] and lora_B \[outputs, 5\], got \[4, 20\]/],
  [{ base_model_name_or_path: "./absent" }, /expected an adapter whose base is here/],
])("%j is refused by name", async (settings, message) => {
  await expect(loadModel(changed("plain", settings))).rejects.toThrow(message);
});

test("another base is refused", async () => {
  const source = changed("plain", { base_model_name_or_path: join(llama, "../../qwen3/model") });
  await expect(loadModel(source)).rejects.toThrow(/expected a weight \[\d+, 24\] in the base, got float32 \[/);
});
