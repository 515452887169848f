/** Help as plain text: of a command from what it declares, of a group from its list of commands. */
import { commonOptions } from "./arguments.ts";
import { type Command, fewChoices, modelSources } from "./command.ts";
import { type Group, loadable } from "./commands/index.ts";

const width = 100;

/** Two columns, the second wrapped. */
function table(rows: readonly (readonly [string, string])[]): string {
  const first = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(first)}${wrap(right, first + 2)}`).join("\n");
}

export function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || indent + last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}

export function section(title: string, rows: readonly (readonly [string, string])[]): string {
  return rows.length === 0 ? "" : `\n${title}\n${table(rows)}\n`;
}

/** Help of a group of commands, `name` being "galen" or "galen corpus". */
export function groupHelp(name: string, { about, commands }: Group): string {
  const rows = Object.entries(commands).flatMap(([key, entry]): [string, string][] => {
    const own: [string, string][] = loadable(entry) ? [[key, entry.about]] : [];
    const inside = "commands" in entry ? Object.entries(entry.commands) : [];
    return [...own, ...inside.map(([sub, { about }]): [string, string] => [`${key} ${sub}`, about])];
  });
  const usage = `\nUsage\n  ${name} COMMAND [options]\n`;
  const more = `"${name} COMMAND --help" says more about a command, with examples.`;
  return `${about}\n${usage}${section("Commands", rows)}\n${more}\n`;
}

/** Help of one command, `name` being "galen corpus import". */
export function commandHelp(name: string, command: Command): string {
  const { about, details, positionals = {}, options, examples } = command;
  const words = Object.entries(positionals).map(([key, { required, many }]) => {
    const word = `${key.toUpperCase()}${many ? "…" : ""}`;
    return required ? word : `[${word}]`;
  });
  const needed = Object.entries(options).flatMap(([key, { required, hint, many }]) =>
    required ? [`--${key} ${hint}${many === "greedy" ? "…" : ""}`] : [],
  );
  const usage = [name, ...words, ...needed, "[options]"].join(" ");
  const optionRows = Object.entries({ ...options, ...commonOptions }).map(([key, option]): [string, string] => {
    const { type, hint, many, choices, about } = option;
    const value = type === "flag" ? "" : ` ${hint}${many === undefined ? "" : "…"}`;
    const notes = [
      choices === undefined ? "" : `: ${choices.join(", ")}`,
      option.default === undefined ? "" : ` (default: ${option.default})`,
    ];
    return [`--${key}${value}`, `${about}${notes.join("")}`];
  });
  const positionalRows = Object.entries(positionals).map(([key, { about, choices }]): [string, string] => [
    key.toUpperCase(),
    choices === undefined || choices.length > fewChoices ? about : `${about}: ${choices.join(", ")}`,
  ]);
  const takesModel = [...Object.values(options), ...Object.values(positionals)].some(({ part }) => part !== undefined);
  const shown = examples.map(([line, what]) => `  # ${what}\n  galen ${line}\n`).join("\n");
  return [
    `${wrap(details === undefined ? about : `${about}. ${details}`, 0)}\n`,
    `\nUsage\n  ${usage}\n`,
    section("Arguments", positionalRows),
    ...(command.sections ?? []).map(([title, rows]) => section(title, rows)),
    section("Options", optionRows),
    ...(takesModel ? [`\n${wrap(modelSources, 0)}\n`] : []),
    `\nExamples\n${shown}`,
  ].join("");
}
