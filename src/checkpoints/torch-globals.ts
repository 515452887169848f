/**
 * The only globals that a checkpoint's pickle may name. `strict` knows tensors and ordered dictionaries; otherwise
 * settings of fairseq and the classes that its files hold (omegaconf nodes, enums, paths) become inert objects.
 * Names and arguments: torch/_utils.py, torch/serialization.py, torch/storage.py.
 */
import { sizeOf, type DType } from "../tensor/tensor.ts";
import {
  describe,
  type Fail,
  type PickleGlobal,
  type PickleRules,
  type PickleValue,
  type TorchStorage,
  type TorchTensor,
} from "./pickle-values.ts";

const storageTypes: Readonly<Record<string, DType>> = {
  FloatStorage: "float32",
  DoubleStorage: "float64",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ByteStorage: "uint8",
  CharStorage: "int8",
  BoolStorage: "bool",
  UntypedStorage: "uint8",
};
const storageGlobals = new Map<string, DType>([
  ...Object.entries(storageTypes).map(([name, dtype]) => [`torch.${name}`, dtype] as const),
  ["torch.storage.UntypedStorage", "uint8"],
]);
const dtypeGlobals = new Set(Object.values(storageTypes).map((dtype) => `torch.${dtype}`));

/** Rebuilds a tensor from (storage, offset, sizes, strides, ...). */
function rebuildTensor(args: PickleValue[], fail: Fail): TorchTensor {
  const [storage, offset, dims, strides] = args;
  if (!isStorage(storage)) return fail(`expected a tensor's storage, got ${describe(storage)}`);
  return makeTensor(storage, offset, dims, strides, fail);
}

/** (storage, offset, sizes, strides, requires_grad, hooks, dtype, ...) over untyped bytes. */
function rebuildTensorV3(args: PickleValue[], fail: Fail): TorchTensor {
  const [storage, offset, dims, strides, , , type] = args;
  if (!isStorage(storage)) return fail(`expected a tensor's storage, got ${describe(storage)}`);
  if (typeof type !== "object" || type === null || !("kind" in type) || type.kind !== "global")
    return fail(`expected a dtype, got ${describe(type)}`);
  const dtype = type.name.replace(/^torch\./, "");
  if (dtype !== storage.dtype) fail(`expected a storage of ${dtype}, got ${storage.dtype}`);
  return makeTensor(storage, offset, dims, strides, fail);
}

function isStorage(value: PickleValue | undefined): value is TorchStorage {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "storage";
}

const maxAxes = 64; // torch's own limit

function isSizes(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= maxAxes && value.every(isSize);
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function makeTensor(
  storage: TorchStorage,
  offset: PickleValue | undefined,
  dims: PickleValue | undefined,
  strides: PickleValue | undefined,
  fail: Fail,
): TorchTensor {
  if (!isSize(offset)) return fail(`expected a tensor's offset, got ${describe(offset)}`);
  if (!isSizes(dims) || !isSizes(strides) || dims.length !== strides.length)
    return fail(`expected sizes and strides of one length, got ${describe(dims)} and ${describe(strides)}`);
  const [count, span] = dims.includes(0) ? [0, 0] : [sizeOf(dims), spanOf(dims, strides)];
  if (span > storage.size - offset || count > storage.size)
    return fail(
      `expected a tensor within its storage of ${storage.size}, got ${count} elements up to ${offset + span}`,
    );
  return { kind: "tensor", storage, offset, dims: [...dims], strides: [...strides] };
}

/** Elements from the first to the last of a view that is not empty. */
export function spanOf(dims: readonly number[], strides: readonly number[]): number {
  return dims.reduce((sum, dim, axis) => sum + (dim - 1) * (strides[axis] as number), 1);
}

const rebuilders: Readonly<Record<string, NonNullable<PickleGlobal["construct"]>>> = {
  "torch._utils._rebuild_tensor": rebuildTensor,
  "torch._utils._rebuild_tensor_v2": rebuildTensor,
  "torch._utils._rebuild_tensor_v3": rebuildTensorV3,
};

function first(args: PickleValue[], fail: Fail): PickleValue {
  return args[0] ?? fail("expected an argument, got none");
}

/** (function, type, arguments, state): a tensor with attributes, which are dropped. */
function rebuildFromType(args: PickleValue[], fail: Fail): PickleValue {
  const [rebuild, , inner] = args;
  const name =
    typeof rebuild === "object" && rebuild !== null && "kind" in rebuild && "name" in rebuild ? rebuild.name : "";
  const construct = Object.hasOwn(rebuilders, name) ? rebuilders[name] : undefined;
  if (construct === undefined || !Array.isArray(inner))
    return fail(`expected a tensor to rebuild, got ${describe(rebuild)} of ${describe(inner)}`);
  return construct(inner, fail);
}

function orderedDict(args: PickleValue[], fail: Fail): PickleValue {
  return args.length === 0 ? new Map() : fail("expected an empty OrderedDict that is filled later, got arguments");
}

const constructors = new Map<string, PickleGlobal["construct"]>([
  ...Object.entries(rebuilders),
  ["torch._utils._rebuild_parameter", first],
  ["torch._utils._rebuild_parameter_with_state", first],
  ["torch._tensor._rebuild_from_type_v2", rebuildFromType],
  ["torch.Size", first],
  ["collections.OrderedDict", orderedDict],
]);

/** Named inside tensors' arguments, never constructed. */
const inertWithTensors = new Set(["torch.Tensor", "torch.nn.parameter.Parameter", "torch.device", ...dtypeGlobals]);

/** Modules whose classes fairseq's settings and training state are instances of. */
const inertModules = ["fairseq", "fairseq_cli", "omegaconf", "hydra", "typing", "enum", "pathlib", "numpy"];
const inertNames = new Set([
  "argparse.Namespace",
  "collections.defaultdict",
  "collections.Counter",
  "copyreg._reconstructor",
  "copy_reg._reconstructor",
  "_codecs.encode",
  ...["builtins", "__builtin__"].flatMap((module) =>
    ["object", "int", "float", "str", "bool", "bytes", "dict", "list", "tuple", "set", "frozenset", "complex"].map(
      (name) => `${module}.${name}`,
    ),
  ),
]);

function isInert(name: string): boolean {
  return inertNames.has(name) || inertModules.includes(name.slice(0, name.indexOf(".")));
}

/** The globals allowed, and the storages that persistent ids name; each storage is handed to `found`, once per mention. */
export function torchRules(strict: boolean, found: (storage: TorchStorage, fail: Fail) => void): PickleRules {
  return {
    global(name) {
      const construct = constructors.get(name);
      if (construct !== undefined) return { kind: "global", name, construct };
      const known = storageGlobals.has(name) || inertWithTensors.has(name) || (!strict && isInert(name));
      return known ? { kind: "global", name } : undefined;
    },
    persistent(id, fail) {
      const storage = readStorageId(id, fail);
      found(storage, fail);
      return storage;
    },
  };
}

/** ("storage", type, key, location, number of elements, [view (key, offset, size) of legacy files]). */
function readStorageId(id: PickleValue, fail: Fail): TorchStorage {
  const [tag, type, key, , size, view] = Array.isArray(id) ? id : [];
  const name = typeof type === "object" && type !== null && "kind" in type && type.kind === "global" ? type.name : "";
  const dtype = storageGlobals.get(name);
  if (tag !== "storage" || typeof key !== "string" || !isSize(size))
    return fail(`expected a reference to a storage, got ${describe(id)}`);
  if (dtype === undefined) return fail(`expected a known type of storage, got ${describe(type)}`);
  if (view === undefined || view === null) return { kind: "storage", key, dtype, size, start: 0, rootSize: size };
  const [, start, viewSize] = Array.isArray(view) ? view : [];
  if (!isSize(start) || !isSize(viewSize) || start + viewSize > size)
    return fail(`expected a view into a storage of ${size} elements, got ${describe(view)}`);
  return { kind: "storage", key, dtype, size: viewSize, start, rootSize: size };
}
