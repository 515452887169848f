/**
 * Compiles src/train/assembly/kernels.ts (AssemblyScript) and writes the WebAssembly module as base64 into
 * src/train/kernels.ts. With --check it writes nothing, and fails where the file there is another than the source gives.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));
const output = new URL("../src/train/kernels.ts", import.meta.url);

async function compile() {
  let wasm;
  const options = "-O3 --noAssert --enable simd --runtime stub --importMemory --noExportMemory --outFile kernels.wasm";
  const { error, stderr } = await main(["src/train/assembly/kernels.ts", "--baseDir", root, ...options.split(" ")], {
    writeFile: (_, contents) => (wasm = contents),
  });
  if (error !== null) throw new Error(`src/train/assembly/kernels.ts: ${error.message}\n${stderr}`);
  return Buffer.from(wasm);
}

const wasm = await compile();
const text = `/** ${wasm.length} bytes of WebAssembly: assembly/kernels.ts as scripts/build-wasm.js compiles it. Not edited by hand. */
export const kernels =
  "${wasm.toString("base64")}";
`;
if (!process.argv.includes("--check")) await writeFile(output, text);
else if ((await readFile(output, "utf8").catch(() => "")) !== text) {
  console.error("src/train/kernels.ts: expected what src/train/assembly/kernels.ts compiles to");
  console.error("Hint: node scripts/build-wasm.js writes it");
  process.exit(1);
}
