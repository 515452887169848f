/** ONNX Runtime behind a small interface: sessions on any device, parameters, model folders. */
export { createSession, type Device, devices, type Session, type SessionOptions, type Tensors } from "./session.ts";
export { allocateParameters, initialise, type Parameters, readParameters } from "./parameters.ts";
export { type NetworkOptions, openNetwork } from "./network.ts";
export { type ModelFolder, openModelFolder } from "./folder.ts";
