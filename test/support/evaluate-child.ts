/** An evaluation in a process of its own, for tests that kill it: arguments are the kind, model, data and output. */
import { evaluateKind } from "./evaluations.ts";

const [kind, model, data, output] = process.argv.slice(2) as [string, string, string, string];
const onProgress = (): void => console.log("window");
await evaluateKind(kind, model, data, { output, resume: true, window: 4, onProgress });
