/**
 * Near duplicates as FineWeb finds them: documents whose MinHash signatures agree in one of 14 buckets of 8 hashes (a similarity of
 * about 0.72) are one cluster, one through another, of which the first in the corpus's order stays. Two documents that share
 * 80 % of their runs of five words are found with 92 %.
 */
import type * as z from "zod";
import { wholeText } from "../../corpus/corpus-document.ts";
import { hash128 } from "../work/hash.ts";
import { createMinHash, minHashSettings } from "../text/minhash.ts";
import type { KeyedStage } from "../stage.ts";

type Settings = z.output<typeof minHashSettings>;

export const nearDuplicatesStage: KeyedStage<Settings> = {
  name: "near-duplicates",
  about: "of documents that are nearly the same the first stays (MinHash)",
  version: 1,
  settings: minHashSettings,
  rewrites: false,
  rule: "near-duplicate",
  join: "linked",
  open(settings) {
    const minHash = createMinHash(settings);
    const { buckets, hashesPerBucket } = settings;
    return {
      keys(document, emit) {
        const signature = minHash(wholeText(document));
        if (signature === undefined) return;
        for (let bucket = 0; bucket < buckets; bucket++) {
          const hashes = signature.subarray(bucket * hashesPerBucket, (bucket + 1) * hashesPerBucket);
          // The bucket is part of the key: hashes of different ones never meet.
          emit(hash128(new Uint8Array(hashes.buffer, hashes.byteOffset, hashes.byteLength), bucket), 0);
        }
      },
    };
  },
};
