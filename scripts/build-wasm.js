/**
 * Compiles AssemblyScript and writes each WebAssembly module as base64 into a file of TypeScript beside it. With --check it
 * writes nothing, and fails where a file there is another than its source gives.
 */
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Source to what it becomes, and the name of the constant there. */
const modules = [
  ["src/train/assembly/kernels.ts", "src/train/kernels.ts", "kernels"],
  ["src/curate/text/assembly/minhash.ts", "src/curate/text/minhash-kernels.ts", "minHashKernels"],
];

async function compile(source) {
  let wasm;
  const options = "-O3 --noAssert --enable simd --runtime stub --importMemory --noExportMemory --outFile kernels.wasm";
  const { error, stderr } = await main([source, "--baseDir", root, ...options.split(" ")], {
    writeFile: (_, contents) => (wasm = contents),
  });
  if (error !== null) throw new Error(`${source}: ${error.message}\n${stderr}`);
  return Buffer.from(wasm);
}

for (const [source, target, name] of modules) {
  const wasm = await compile(source);
  const text = `/** ${wasm.length} bytes of WebAssembly: assembly/${basename(source)} as scripts/build-wasm.js compiles it. Not edited by hand. */
export const ${name} =
  "${wasm.toString("base64")}";
`;
  const output = new URL(`../${target}`, import.meta.url);
  if (!process.argv.includes("--check")) await writeFile(output, text);
  else if ((await readFile(output, "utf8").catch(() => "")) !== text) {
    console.error(`${target}: expected what ${source} compiles to`);
    console.error("Hint: node scripts/build-wasm.js writes it");
    process.exitCode = 1;
  }
}
