/**
 * Galen in a browser, over onnxruntime-web (an optional peer): embeddings, a decoder's texts and the search of a small
 * index, on WebGPU or WebAssembly, out of the files that Galen and Hugging Face write.
 */
export type { FetchOptions, FetchProgress, FilesSource } from "./files.ts";
export { type BrowserDecoder, openDecoder, openEmbedder, type OpenOptions } from "./models.ts";
export { type BrowserDevice, browserDevices, type DeviceOptions, parityTolerance, type RunsOn } from "./network.ts";
export { openSearch, type OpenSearchOptions } from "./search.ts";
