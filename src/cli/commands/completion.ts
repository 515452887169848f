/** `galen completion`: completion of commands, options and recipes in a shell. */
import { type Command, command } from "../command.ts";

const completion: Command = command({
  about: "Completion of commands and options, for a shell",
  details: "Prints a script that the shell reads; put the line of the example into ~/.bashrc or ~/.zshrc.",
  positionals: { shell: { required: true, choices: ["bash", "zsh"], about: "Whose script" } },
  options: {},
  examples: [
    ["completion bash > galen-completion.bash", "a file for bash; or at once: source <(galen completion bash)"],
    ["completion zsh > galen-completion.zsh", "the same for zsh"],
  ],
  async run({ args, json, output }) {
    const { completionScript } = await import("../completion.ts");
    const { galen } = await import("./index.ts");
    const script = await completionScript(args.shell as "bash", galen);
    if (json) return output.json({ shell: args.shell, script });
    await output.write(script);
  },
});
export default completion;
