/** What PyTorch calls a device → the accelerator whose published peak a training's utilisation is a share of. */
import { accelerators, type Accelerator } from "../plan/accelerators.ts";

/** Cards whose peak is another than that of the board in `accelerators` are left out: of them it is unknown. */
const names: readonly (readonly [RegExp, string])[] = [
  [/^Tesla V100-SXM2-16GB/, "v100-16"],
  [/^Tesla V100-SXM[23]-32GB/, "v100-32"],
  [/^NVIDIA A100-SXM4-40GB/, "a100-40"],
  [/^NVIDIA A100-PCIE-40GB/, "a100-40"],
  [/^NVIDIA A100(-SXM4-| | PCIe )80GB/, "a100-80"],
  [/^NVIDIA H100 80GB HBM3/, "h100"],
  [/^NVIDIA H200(?! NVL)/, "h200"],
  [/^NVIDIA B200/, "b200"],
  [/^AMD Instinct MI300X/, "mi300x"],
];

/** Undefined where no peak is known: processors, other cards. */
export function acceleratorOf(
  device: string,
): { readonly name: string; readonly accelerator: Accelerator } | undefined {
  const name = names.find(([pattern]) => pattern.test(device))?.[1];
  return name === undefined ? undefined : { name, accelerator: accelerators[name]! };
}
