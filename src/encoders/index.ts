/** Training encoders beyond pre-training: embeddings, ColBERT, rerankers, classifiers and taggers. */
export { type EncoderConfig, withEncoderSettings } from "./config.ts";
export { checkInputs, type EncoderRecipe, encoderRecipes } from "./recipes.ts";
export * from "../nn/losses.ts";
export { type EncoderEvent, type EncoderOptions, type EncoderResult, trainEncoder } from "./train.ts";
