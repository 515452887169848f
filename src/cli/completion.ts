/** Shell completion: a script of what the commands declare, for bash, and for zsh by its emulation of bash's. */
import { commonOptions } from "./arguments.ts";
import type { Command } from "./command.ts";
import { commandsOf, type Group } from "./commands/index.ts";

/** A script to be read by the shell: `source <(galen completion bash)`. */
export async function completionScript(shell: "bash" | "zsh", root: Group): Promise<string> {
  const found = await Promise.all(
    commandsOf(root).map(async ({ name, entry }) => ({ name, command: (await entry.load()).default })),
  );
  // "" → its sub-commands, "corpus" → "import", "corpus import" → its options.
  const inside = new Map<string, Set<string>>([["", new Set(["help"])]]);
  const values: string[] = [];
  for (const { name, command } of found) {
    const words = name.split(" ");
    words.forEach((word, i) => addTo(inside, words.slice(0, i).join(" "), word));
    for (const word of wordsOf(command)) addTo(inside, name, word);
    for (const [option, { type, choices = [] }] of Object.entries(command.options)) {
      if (type !== "flag") values.push(`    "${name} --${option}") words="${choices.join(" ")}" ;;`);
    }
  }
  const paths = [...inside.keys()].filter((path) => path !== "");
  const steps = paths.map((path) => `"${path.includes(" ") ? path : ` ${path}`}"`).join("|");
  const lists = [...inside].map(([path, words]) => `    "${path}") words="${[...words].join(" ")}" ;;`);
  return [
    `# Completion of galen: source <(galen completion ${shell})`,
    ...(shell === "zsh" ? zshStart : []),
    "_galen() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" name="" words="" word i',
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    '    word="${COMP_WORDS[i]}"',
    '    case "$name $word" in',
    `      ${steps}) name="\${name:+$name }$word" ;;`,
    "      *) break ;;",
    "    esac",
    "  done",
    '  case "$name" in',
    ...lists,
    "  esac",
    "  # What follows an option is its value: one of a few, or a file, which the shell knows.",
    '  case "$name $previous" in',
    ...values,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    "complete -o default -F _galen galen",
    "",
  ].join("\n");
}

/** A zsh without a configuration of its own completes nothing yet; bash's commands stand on its own ones. */
const zshStart = [
  "(( $+functions[compdef] )) || { autoload -U compinit && compinit -D }",
  "autoload -U +X bashcompinit && bashcompinit",
];

function addTo(inside: Map<string, Set<string>>, path: string, word: string): void {
  inside.set(path, (inside.get(path) ?? new Set()).add(word));
}

/** Options, and what a positional may be. */
function wordsOf({ options, positionals = {} }: Command): string[] {
  const choices = Object.values(positionals).flatMap(({ choices = [] }) => choices);
  return [...choices, ...Object.keys({ ...options, ...commonOptions }).map((name) => `--${name}`)];
}
