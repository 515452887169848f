/** Reading a config.json against a schema, with errors that name the field. */
export { checked as parseConfig } from "../schema.ts";
