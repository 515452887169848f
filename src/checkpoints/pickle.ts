/**
 * A reader of Python pickles, protocols 0 to 5, that executes nothing (opcodes: CPython, Lib/pickletools.py).
 * A global is only a name: the rules given say which of our own constructors of plain data it stands for, and
 * refuse every other. Dictionaries become Maps, lists and tuples arrays. Work and memory are bounded by the file's
 * size and by `maxOpcodes`. Left out: extension registry, out-of-band buffers, INST and OBJ, none of which torch writes.
 */
import { CheckpointError } from "../errors.ts";
import { operations } from "./pickle-operations.ts";
import type { Fail, Machine, PickleRules, PickleValue } from "./pickle-values.ts";

const maxOpcodes = 1_000_000; // a 48-layer state dict with its optimizer state has about 100,000
const stopOpcode = 0x2e;

/**
 * Interprets the pickle that starts at byte `start`; `end` is the byte after it.
 * @throws CheckpointError with file, byte and opcode, for anything but a pickle of plain data and known globals.
 */
export function readPickle(
  bytes: Uint8Array,
  file: string,
  rules: PickleRules,
  start = 0,
): { value: PickleValue; end: number } {
  let opcodeAt = start;
  const fail: Fail = (found, hint = "the file is damaged, hostile or not a checkpoint; download it again") => {
    const opcode = bytes[opcodeAt];
    const name = opcode === undefined ? "end of data" : (operations.get(opcode)?.name ?? `0x${opcode.toString(16)}`);
    throw new CheckpointError(`${file}: pickle byte ${opcodeAt}, opcode ${name}: ${found}`, { hint });
  };
  const machine: Machine = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: start,
    stack: [],
    marks: [],
    memo: new Map(),
    rules,
    fail,
  };
  for (let count = 0; count < maxOpcodes; count++) {
    opcodeAt = machine.at;
    const opcode = bytes[machine.at++];
    if (opcode === undefined) fail("expected an opcode, got the end of the data", "the file is truncated");
    else if (opcode === stopOpcode) {
      const value = machine.stack.pop();
      if (value === undefined || machine.stack.length > 0 || machine.marks.length > 0)
        fail(`expected one value at the end, got ${machine.stack.length + (value === undefined ? 0 : 1)}`);
      return { value: value as PickleValue, end: machine.at };
    } else {
      const operation = operations.get(opcode);
      if (operation === undefined) fail("expected an opcode that torch.save writes, got another");
      else operation.run(machine);
    }
  }
  return fail(`expected at most ${maxOpcodes} opcodes, got more`);
}
