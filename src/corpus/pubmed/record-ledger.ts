/**
 * Which row of an import is the current one for each PMID. A higher version wins, then the later record; a withdrawal
 * removes what came before it. Four bytes for each PMID in use, in pages, so that all of PubMed takes about 170 MB.
 */
import { anyVersion, rowState } from "./import-job.ts";

export interface RecordLedger {
  /** Rows that lost, as ordinals in the order of `add`, unsorted. */
  readonly dropped: number[];
  /** Records replaced by another version, and records withdrawn. */
  readonly superseded: number;
  readonly deleted: number;
  /** Takes the next record or withdrawal; a kept record takes the next ordinal. */
  add(pmid: number, version: number, state: number): void;
}

const pageBits = 16;
const absent = 0;
/** The record is known but has no row: a filter turned it down. */
const rowless = 1;
const firstRow = 2;

export function createLedger(): RecordLedger {
  const pages = new Map<number, Uint32Array>();
  // Only what differs from version 1.
  const versions = new Map<number, number>();
  const dropped: number[] = [];
  let rows = 0;
  let superseded = 0;
  let deleted = 0;

  const drop = (slot: number): void => {
    if (slot >= firstRow) dropped.push(slot - firstRow);
  };
  const pageOf = (pmid: number): Uint32Array => {
    const number = pmid >>> pageBits;
    let page = pages.get(number);
    if (page === undefined) pages.set(number, (page = new Uint32Array(1 << pageBits)));
    return page;
  };

  function add(pmid: number, version: number, state: number): void {
    const page = pageOf(pmid);
    const index = pmid & ((1 << pageBits) - 1);
    const current = page[index]!;
    const currentVersion = versions.get(pmid) ?? 1;
    if (state === rowState.deletion) {
      if (current === absent || (version !== anyVersion && version !== currentVersion)) return;
      drop(current);
      page[index] = absent;
      versions.delete(pmid);
      deleted++;
      return;
    }
    const slot = state === rowState.kept ? firstRow + rows++ : rowless;
    if (current !== absent) superseded++;
    if (current !== absent && version < currentVersion) {
      drop(slot);
      return;
    }
    drop(current);
    page[index] = slot;
    if (version === 1) versions.delete(pmid);
    else versions.set(pmid, version);
  }

  return {
    dropped,
    get superseded() {
      return superseded;
    },
    get deleted() {
      return deleted;
    },
    add,
  };
}
