/** What commands with `--int8` say before they begin. */
import type { Output } from "./output.ts";

/** Says so where eight bits bring nothing on this processor. */
export async function noteEightBits(output: Output): Promise<void> {
  const { eightBitGain, withoutGain } = await import("../runtime/eight-bits.ts");
  const advice = withoutGain(await eightBitGain());
  if (advice !== undefined) output.note(advice);
}
