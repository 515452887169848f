/** A decoder of the server's as a writer of answers: its sentences are sequences of the batch that all requests share. */
import { type Writer, writerOf } from "../../answers/write.ts";
import type { ServeContext } from "../context.ts";
import { planOf, requireRoom, runPlan } from "../generation.ts";
import type { LoadedDecoder } from "../models.ts";

export function writerBy(model: LoadedDecoder, context: Pick<ServeContext, "metrics" | "limits" | "signal">): Writer {
  const { maxTokens: positions } = model.generator.decoder.cache;
  return writerOf(model.tokenizer, positions, async (prompt, most, signal = context.signal) => {
    requireRoom(model.engine.state.waiting, 1, context);
    const plan = planOf(model, [prompt], { model: model.name, temperature: 0 }, { maxTokens: undefined, usual: most });
    const ids: number[] = [];
    await runPlan(model, plan, { seed: 0, signal, context }, { onPiece: (_, { id }) => ids.push(id) });
    return ids;
  });
}
