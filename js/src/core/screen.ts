// What the labeller shows and is given: types that the views, the host and the labeller share.

import type { Answer, Entry, HistoryRow, ImageInfo } from "../wire";
import type { Decode, Picture } from "./album";
import type { HostOptions } from "./host_options";

export type Phase = "ready" | "waiting" | "done" | "offline";

/** What is on the screen. Without a picture it is still on its way, and cannot be answered. */
export interface Shown<P> {
  entry: Entry;
  picture: P | null;
  /** The answer that stands, when an old item is looked at again. */
  review: HistoryRow | null;
  /** When the answer (or other action) came that led here; null when it came by itself. */
  since: number | null;
}

export interface HistoryView {
  rows: readonly HistoryRow[];
  canUndo: boolean;
  canRedo: boolean;
}

export interface Saved {
  event_id: string;
  ms: number;
}

export interface LabellerOptions<P extends Picture> extends HostOptions {
  decode: Decode<P>;
}

/** The row of the history that an answer makes. */
export function rowOf(message: Answer): HistoryRow {
  const { event_id, item_id, answer, value, note, answered_at_ms } = message;
  return { event_id, item_id, kind: answer, value, note, answered_at_ms, undone: false };
}

/** Stands for an item whose picture is on its way. */
export function stub(item_id: string): Entry {
  return {
    item_id,
    token: "",
    strategy: "",
    reason: "",
    round: 0,
    probabilities: [],
    image: {} as ImageInfo,
  };
}

export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
