/** A page that is one file: without scripts, without anything from elsewhere, and a policy that says so to browsers. */
import { createHash } from "node:crypto";
import { escapeHtml } from "./markup.ts";

export interface StaticPage {
  /** Text. */
  readonly title: string;
  /** The only style that the policy lets through. */
  readonly style: string;
  /** HTML of the main part: what comes from elsewhere is escaped already. */
  readonly main: string;
}

export function staticPage({ title, style, main }: StaticPage): string {
  const hash = createHash("sha256").update(style).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}
