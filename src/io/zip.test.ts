/** Archives as Python's zipfile writes them, and broken ones. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { crc32, deflateRawSync } from "node:zlib";
import { readZipTexts } from "./zip.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-zip-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An archive of texts, deflated or stored, by the format's specification. */
function archiveOf(members: Readonly<Record<string, string>>, method: 0 | 8 | 9): Buffer {
  const [bodies, directory]: Buffer[][] = [[], []];
  let at = 0;
  for (const [name, text] of Object.entries(members)) {
    const raw = Buffer.from(text);
    const body = method === 0 ? raw : deflateRawSync(raw);
    const fields = Buffer.alloc(26);
    for (const [value, offset] of [
      [20, 0],
      [method, 4],
      [name.length, 22],
    ] as const)
      fields.writeUInt16LE(value, offset);
    fields.writeUInt32LE(crc32(raw), 10);
    fields.writeUInt32LE(body.length, 14);
    fields.writeUInt32LE(raw.length, 18);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), fields, Buffer.from(name), body]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory!.push(Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\u0000"), fields, tail, Buffer.from(name)]));
    bodies!.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory!);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006");
  end.writeUInt16LE(Object.keys(members).length, 8);
  end.writeUInt16LE(Object.keys(members).length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...bodies!, central, end]);
}

const members = { "a folder/ü.txt": "Übung ".repeat(100), "b.json": "{}", "empty.txt": "" };
const write = (bytes: Uint8Array): string => {
  const path = join(folder, "x.zip");
  writeFileSync(path, bytes);
  return path;
};
const any = (): boolean => true;

describe("texts of a zip archive", () => {
  test.each([0, 8] as const)("are read, those that are wanted, by method %i", async (method) => {
    const path = write(archiveOf({ "a.txt": "Übung ".repeat(100), "b.json": "{}", "empty.txt": "" }, method));
    expect(Object.fromEntries(await readZipTexts(path, any))).toEqual({
      "a.txt": members["a folder/ü.txt"],
      "b.json": "{}",
      "empty.txt": "",
    });
    expect([...(await readZipTexts(path, (name) => name.endsWith(".json"))).keys()]).toEqual(["b.json"]);
  });

  test("are those that Python wrote", async ({ skip }) => {
    const path = join(folder, "python.zip");
    const code =
      "import json,sys,zipfile\nwith zipfile.ZipFile(sys.argv[1],'w',zipfile.ZIP_DEFLATED) as z:\n for k,v in json.loads(sys.argv[2]).items(): z.writestr(k,v)";
    if (spawnSync("python3", ["-c", code, path, JSON.stringify(members)]).status !== 0) skip("without Python");
    expect(Object.fromEntries(await readZipTexts(path, any))).toEqual(members);
  });

  test("of broken archives are refused, with the path and what to do", async () => {
    const good = archiveOf({ "a.txt": "Übung ".repeat(100) }, 8);
    const refused = async (bytes: Uint8Array): Promise<string> =>
      readZipTexts(write(bytes), any, "Get it again.").then(() => "read", String);
    const damaged = Buffer.from(good);
    damaged[45]! ^= 0xff;
    const lying = Buffer.from(good);
    lying.writeUInt32LE(0x7fffffff, lying.length - 6);
    const bomb = Buffer.from(good);
    bomb.writeUInt32LE(0x7fffffff, good.indexOf("PK\u0001\u0002") + 24);
    expect(await refused(good.subarray(0, -30))).toMatch(
      /x\.zip: expected a zip archive, got one without its directory.*\nHint: Get it again\./,
    );
    expect(await refused(Buffer.alloc(5))).toMatch(/without its directory/);
    expect(await refused(damaged)).toMatch(/"a\.txt" damaged|a damaged one/);
    expect(await refused(lying)).toMatch(/a damaged one/);
    expect(await refused(bomb)).toMatch(/more than \d+ bytes of text/);
    expect(await refused(archiveOf({ "a.txt": "a" }, 9))).toMatch(/compressed by method 9/);
    await expect(readZipTexts(join(folder, "none.zip"), any)).rejects.toThrow(
      /none\.zip: expected a zip archive, got ENOENT/,
    );
  });
});
