/** Markup of the page: tagged templates become preact's nodes, so that whatever comes from a document is a text node. */
import htm from "htm";
import { h, type VNode } from "preact";

/** A node of a template; components are put in by `h`, whose properties the compiler checks. */
export const html = htm.bind(h) as unknown as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
