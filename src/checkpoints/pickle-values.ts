/** What a pickle of a checkpoint can hold, as inert data, and the state of the machine that reads it. */
import type { DType } from "../tensor/tensor.ts";

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleGlobal
  | PickleObject
  | TorchStorage
  | TorchTensor;

/** A class or function by name, with what stands in for calling it; without, a call makes a `PickleObject`. */
export interface PickleGlobal {
  readonly kind: "global";
  readonly name: string;
  readonly construct?: (args: PickleValue[], fail: Fail) => PickleValue;
}

/** An instance of a class that means nothing to us: what it was made from, untouched. */
export interface PickleObject {
  readonly kind: "object";
  readonly type: string;
  readonly args: PickleValue;
  /** `__dict__`, or whatever its `__setstate__` would have been given. */
  state: PickleValue;
  readonly items: Map<PickleValue, PickleValue>;
  readonly list: PickleValue[];
}

/** A storage, or a legacy file's view of one. */
export interface TorchStorage {
  readonly kind: "storage";
  readonly key: string;
  readonly dtype: DType;
  /** Elements. */
  readonly size: number;
  /** First element, and elements of the storage that `key` names. */
  readonly start: number;
  readonly rootSize: number;
}

export interface TorchTensor {
  readonly kind: "tensor";
  readonly storage: TorchStorage;
  /** In elements, from the start of `storage`. */
  readonly offset: number;
  readonly dims: readonly number[];
  readonly strides: readonly number[];
}

export type Fail = (found: string, hint?: string) => never;

export interface PickleRules {
  /** `undefined` refuses the global. */
  global(name: string): PickleGlobal | undefined;
  persistent?(id: PickleValue, fail: Fail): PickleValue;
}

export interface Machine {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Of the next byte. */
  at: number;
  readonly stack: PickleValue[];
  /** Stack heights at the open marks. */
  readonly marks: number[];
  readonly memo: Map<number, PickleValue>;
  readonly rules: PickleRules;
  readonly fail: Fail;
}

/** A short description of a value for a message. */
export function describe(value: PickleValue | undefined): string {
  if (value === null) return "None";
  if (value === undefined) return "nothing";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value !== "object") return String(value).slice(0, 60);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dictionary of ${value.size}`;
  if (value instanceof Set) return `a set of ${value.size}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value.kind === "global") return JSON.stringify(value.name.slice(0, 60));
  return value.kind === "object" ? `a ${value.type.slice(0, 60)}` : `a ${value.kind}`;
}
