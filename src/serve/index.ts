/** `galen/serve`: the HTTP server, from its options to its end, or as a function of requests for programs that bring their own. */
export { createApp } from "./app.ts";
export {
  type App,
  defaultLimits,
  type Folders,
  type Guard,
  type Limits,
  type Routes,
  type ServeContext,
} from "./context.ts";
export { createMetrics, type ServerMetrics } from "./metrics.ts";
export { createModels, knownModels, type KnownModel, type Models, type ModelsOptions } from "./models.ts";
export { type RunningServer, type ServerOptions, startServer } from "./server.ts";
export type { ListenOptions, Serving } from "./listen.ts";
export { type FeedbackOptions, serveFeedback, type ServingFeedback } from "./feedback/serve.ts";
export { serve, type ServeOptions } from "./serve.ts";
