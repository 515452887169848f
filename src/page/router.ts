/**
 * Addresses of the page: "#/search?q=aspirin" is the view "search" with parameters. They stand behind the hash, so that
 * no address of a view is one of the server's, and everything that is shown can be linked to.
 */
import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** "search", "document", "similar", "ask", "review", "runs", "corpus". */
  readonly view: string;
  /** What follows it: an identifier or a name, as it is, or "". */
  readonly name: string;
  readonly params: URLSearchParams;
}

/** @returns the route of a location's hash; where there is none, the search. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [view = "", ...rest] = path.split("/");
  return { view: view === "" ? "search" : view, name: decoded(rest.join("/")), params: new URLSearchParams(query) };
}

/** A hand-written address may hold a "%" that stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export type Params = Readonly<Record<string, string | number | readonly string[] | undefined | null>>;

/** The address of a view; parameters that are empty are left out. */
export function hrefOf(view: string, name: string = "", params: Params | URLSearchParams = {}): string {
  const query = params instanceof URLSearchParams ? params : queryOf(params);
  const tail = query.size === 0 ? "" : `?${query.toString()}`;
  return `#/${view}${name === "" ? "" : `/${encodeURIComponent(name)}`}${tail}`;
}

/** Parameters as an address has them: lists repeat the name. */
export function queryOf(params: Params): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value as string | number | undefined]) {
      if (one !== undefined && one !== null && one !== "") query.append(name, String(one));
    }
  }
  return query;
}

/** Goes to an address; `replace`: without a step in the browser's history. */
export function go(href: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) {
    history.replaceState(null, "", href);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = href;
}

/** The present route; draws again when it changes. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const change = (): void => setHash(location.hash);
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return parseRoute(hash);
}

/** "120-180" as a range; undefined where it is none. */
export function rangeOf(text: string | null): readonly [start: number, end: number] | undefined {
  const match = /^(\d{1,9})-(\d{1,9})$/.exec(text ?? "");
  if (match === null) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  return start < end ? [start, end] : undefined;
}
