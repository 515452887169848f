/**
 * Who may ask, looked at before anything else, on every route. A page of elsewhere in this machine's browser must reach
 * nothing: it says its Origin, or that it is another site, or, where its own name was made to point here (DNS rebinding), a
 * Host that is none of ours. A token comes as `Authorization: Bearer`, or as the cookie that `/?token=…` sets for the page.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { Guard } from "./context.ts";
import { refusal } from "./failures.ts";
import { tokenPage, tokenPageHeaders } from "./token-page.ts";

const cookieName = "galen_token";

/** A name of a Host header or an origin without its port: "[::1]", "127.0.0.1", "localhost". */
function nameOf(host: string): string {
  return host.replace(/:\d+$/, "").toLowerCase();
}

/** No name of DNS can be made to look so, and no browser resolves "localhost" elsewhere. */
function isAddress(name: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$|^\[[0-9a-f:.]+\]$|^localhost$/.test(name);
}

/** @throws HTTPException 403, 421 or 401; what passes may ask. */
export function guarded({ token, hosts }: Guard): MiddlewareHandler {
  const known = new Set(hosts.map((host) => host.toLowerCase()));
  const expected = token === undefined ? undefined : digest(token);
  const isOurs = (given: string): boolean => expected === undefined || timingSafeEqual(digest(given), expected);
  return async (c, next) => {
    const host = c.req.header("host") ?? "";
    const name = nameOf(host);
    if (!isAddress(name) && !known.has(name)) {
      throw refusal(421, `Host: expected a name of this server, got "${name.slice(0, 100)}"`, {
        code: "unknown_host",
      });
    }
    refuseOthers(c.req.header("origin"), host, c.req.header("sec-fetch-site"), isNavigation(c.req.raw));
    const isPage = c.req.path === "/" && c.req.method === "GET";
    const asked = isPage && expected !== undefined ? c.req.query("token") : undefined;
    const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (!isOurs(asked ?? bearer ?? getCookie(c, cookieName) ?? "")) {
      const isRead = isPage && (c.req.header("accept") ?? "").includes("text/html");
      if (isRead) return c.html(tokenPage(asked !== undefined), 401, tokenPageHeaders);
      throw unauthorised();
    }
    if (asked !== undefined) {
      // The address with the token in it goes no further than this, neither into history nor to a reader of the screen.
      setCookie(c, cookieName, asked, { httpOnly: true, sameSite: "Strict", path: "/" });
      return c.redirect("/");
    }
    await next();
    return undefined;
  };
}

/** A link from elsewhere to the page may be followed. */
function isNavigation({ method, headers }: Request): boolean {
  return (
    method === "GET" && headers.get("sec-fetch-mode") === "navigate" && headers.get("sec-fetch-dest") === "document"
  );
}

function refuseOthers(origin: string | undefined, host: string, site: string | undefined, navigation: boolean): void {
  const foreign = (): Error =>
    refusal(403, "expected a request of this server's own page or of a program, got one of another site", {
      code: "foreign_origin",
    });
  if (origin !== undefined && origin.replace(/^https?:\/\//i, "").toLowerCase() !== host.toLowerCase()) throw foreign();
  if ((site === "cross-site" || site === "same-site") && !navigation) throw foreign();
}

function unauthorised(): Error {
  return refusal(401, "expected the server's token as Authorization: Bearer TOKEN", {
    code: "invalid_api_key",
    headers: { "WWW-Authenticate": "Bearer" },
  });
}

/** Of equal length whatever is given, so that a comparison takes the same time. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
