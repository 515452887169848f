/** What a browser is shown in the place of the page where it brings no token, or a wrong one: a form, and nothing else. */
import { createHash } from "node:crypto";

const style = `code{white-space:nowrap}
body{margin:4rem auto;max-width:26rem;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif}
input,button{box-sizing:border-box;width:100%;margin-top:.5rem;padding:.5rem;font:inherit}`;

/** Submitting it sets the cookie, and leads to the page. @param isWrong a token was given, and is none. */
export function tokenPage(isWrong: boolean): string {
  const note = isWrong ? `<p role="alert">That was not it.</p>\n` : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Galen</title>
<style>${style}</style>
</head>
<body>
<main>
${note}<form action="/">
<label for="token">This server wants a token, as it was given with <code>--token</code></label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Go on</button>
</form>
</main>
</body>
</html>
`;
}

export const tokenPageHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy": [
    "default-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
  "WWW-Authenticate": "Bearer",
};
