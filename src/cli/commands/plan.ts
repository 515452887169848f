/** `galen plan`: what a pre-training takes on accelerators, before any is rented. */
import { recipeList } from "../../recipes/list.ts";
import type { Plan } from "../../plan/index.ts";
import { type Command, command, overwriteOption } from "../command.ts";

const plan: Command = command({
  about: "What a pre-training takes on accelerators: memory, layouts, days, cost",
  details:
    "Weights from the recipe's own graph, operations (6 N a token), memory of a rank under PyTorch's FSDP2 with float32 masters, which layouts are feasible and why others are not, days at the utilisation that published trainings reached, checkpoints, energy, cost, and what does not add up. Settings of the form path=value change the recipe. Nothing is run: figures are arithmetic on the recipe, and a range where they hang on how well a machine is used. " +
    "Other work is planned by galen plan corpus, galen plan index and galen plan extract. " +
    "Accelerators: v100-16, v100-32, a100-40, a100-80, h100, h200, b200, mi300x.",
  positionals: {
    recipe: {
      required: true,
      choices: Object.entries(recipeList).flatMap(([name, { purpose }]) =>
        purpose === "language" || purpose === "encoder" ? [name] : [],
      ),
      about: "A recipe of a new language model or encoder",
    },
    settings: { many: true, about: "path=value…" },
  },
  options: {
    accelerators: { type: "text", hint: "NxNAME", required: true, about: "How many of which, such as 256xh100" },
    tokens: { type: "number", hint: "N", about: "Tokens in all, such as 4e12 (default: the recipe's updates)" },
    vocabulary: {
      type: "integer",
      hint: "N",
      least: 1,
      about: "Tokens of the vocabulary (default: those of the published size)",
    },
    utilisation: {
      type: "text",
      hint: "SHARE",
      about:
        "Share of the dense peak that 6 N a token are, 0.4 or 0.35-0.45 (default: what models of that size reached)",
    },
    price: { type: "number", hint: "N", about: "Price of an accelerator for an hour" },
    electricity: { type: "number", hint: "N", about: "Price of a kilowatt-hour" },
    overhead: {
      type: "number",
      hint: "N",
      default: 1.5,
      about: "Watts that a building takes for one of its accelerators, hosts and cooling included",
    },
    storage: {
      type: "number",
      hint: "N",
      about: "GB a second that shared storage gives all machines together (default: 5 to 50, assumed)",
    },
    svg: { type: "text", hint: "FILE", about: "Draw the memory of a rank there, a bar for each layout" },
    ...overwriteOption,
  },
  examples: [
    ["plan biollm-70b --accelerators 256xh100 --price 2.5", "with what an hour costs"],
    ["plan biogpt-base --accelerators 8xv100-32 --svg memory.svg", "with a picture for a browser"],
    [
      "plan biollm-70b schedule.peak=1.5e-4 --accelerators 128xa100-80 --tokens 48e9 --utilisation 0.423 --json",
      "other figures, as JSON",
    ],
  ],
  async run({ args, json, output }) {
    const { fleetOf, planTraining, utilisationFrom } = await import("../../plan/index.ts");
    const { recipeOf } = await import("../../recipes/index.ts");
    const { withSettings } = await import("../../train/index.ts");
    const { recipe, settings, tokens, vocabulary, utilisation, price, electricity, overhead, storage } = args;
    const made: Plan = planTraining(withSettings(recipeOf(recipe)(), settings), {
      fleet: fleetOf(args.accelerators),
      tokens,
      vocabulary,
      price,
      electricity,
      overhead,
      storage: storage === undefined ? undefined : 1e9 * storage,
      utilisation: utilisation === undefined ? undefined : utilisationFrom(utilisation),
    });
    if (args.svg !== undefined) {
      const { svgMemory } = await import("../plan-picture.ts");
      const { writeFileAtomically } = await import("../../io/files.ts");
      await writeFileAtomically(args.svg, await svgMemory(made));
    }
    if (json) return output.json(made);
    const { planText } = await import("../plan-text.ts");
    await output.write(planText(made, process.stdout.columns ?? 100));
    if (args.svg !== undefined) output.note(args.svg);
  },
});
export default plan;
