/** Sessions on any device, parameters, model folders. */
export { createSession, type Device, devices, type Session, type SessionOptions, type Tensors } from "./session.ts";
export {
  type Allocate,
  allocateParameters,
  initialise,
  type Parameters,
  parameterCount,
  readParameters,
} from "./parameters.ts";
export { eightBitGain, withoutGain } from "./eight-bits.ts";
export { openInMemory } from "./in-memory.ts";
export { type NetworkOptions, openNetwork } from "./network.ts";
export { type ModelFolder, openModelFolder } from "./folder.ts";
