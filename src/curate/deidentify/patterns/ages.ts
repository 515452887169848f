/** Ages over 89, which become "90+": 45 CFR 164.514(b)(2)(i)(C). Temperatures, years ago and percentages are no ages. */
import type { Pattern } from "./pattern.ts";

/** 90 to 129. */
const over = String.raw`(?<![\d./-])(9\d|1[0-2]\d)`;
const words = String.raw`\b((?:ninety(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one |a )?hundred(?:[ -]and[ -]\w{3,9}|[ -](?:one|two|three|four|five|six|seven|eight|nine))?))`;
const yearsOld = String.raw`[ -]{0,2}(?:years?|yrs?\.?|y)[ /.-]{0,2}(?:olds?\b|o\b\.?)|[ -]?y[./]?o\b|[ -]?years? of age|[ -]?y\/?o`;

export const agePatterns: readonly Pattern[] = [
  { class: "AGE", rule: "years-old", pattern: new RegExp(`${over}(?=${yearsOld})`, "gi") },
  { class: "AGE", rule: "years-old", pattern: new RegExp(`${words}(?=${yearsOld})`, "gi") },
  {
    class: "AGE",
    rule: "age",
    pattern:
      /\b(?:age[ds]?(?: (?:of|is|was|about|approximately))?|turn(?:ed|ing|s)|lived to(?: be)?|died at)[ :=]{1,3}(9\d|1[0-2]\d)(?![\d.%/]| ?(?:days?|weeks?|months?|degrees?|mg|%|percent|minutes|hours)\b)/gi,
  },
  {
    class: "AGE",
    rule: "age-sex",
    pattern: new RegExp(
      `${over}(?=[ -]?(?:[MF] (?:with|who|presents?|presenting|admitted|h\\/o|s\\/p|c\\/o)|(?:white |black |caucasian |hispanic |asian |african[- ]american )?(?:female|male|man|woman|gentleman|lady)\\b))`,
      "gi",
    ),
  },
  {
    class: "AGE",
    rule: "age-sex",
    pattern: /\b(?:age|sex)[ /:]{1,3}(?:age|sex)?[ :]{0,2}(9\d|1[0-2]\d)(?=[ /]?[MF]\b)/gi,
  },
];
