/** Training encoders beyond pre-training: embeddings, ColBERT, rerankers, classifiers and taggers. */
export { type EncoderConfig, withEncoderSettings } from "./config.ts";
export { checkInputs, type EncoderRecipe, encoderRecipes } from "./recipes.ts";
export * from "./losses.ts";
export { mineNegatives, type MiningOptions } from "./mine.ts";
export { type EncoderEvent, type EncoderOptions, type EncoderResult, trainEncoder } from "./train.ts";
