// Sentences and numbers as they are shown.

import type { HistoryRow, Speed, Status } from "../wire";
import type { Connection } from "./connection";

export const NO_ANSWER = "the kernel did not answer";

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
}

export function percent(p: number): string {
  const value = p * 100;
  if (value > 0 && value < 1) return "<1 %";
  if (value > 99 && value < 100) return ">99 %";
  return `${Math.round(value)} %`;
}

/** A name for the middle of a sentence: one in a script that runs leftwards does not turn what stands beside it about. */
export function isolated(name: string): string {
  return `\u2068${name}\u2069`;
}

export function speed({ median_s, per_minute }: Speed): string {
  const parts: string[] = [];
  if (per_minute != null)
    parts.push(`${per_minute < 10 ? per_minute.toFixed(1) : Math.round(per_minute)} a minute`);
  if (median_s != null) parts.push(`${median_s < 10 ? median_s.toFixed(1) : Math.round(median_s)} s each`);
  return parts.join(", ");
}

/** `unit` is what the model learns from, one by one. */
export function training({ training, round, trained_labels }: Status, unit = "label"): string {
  const labels = count(trained_labels, unit);
  if (training === "running") return trained_labels > 0 ? `Learning from ${labels}…` : "Learning…";
  if (training === "failed")
    return round > 0 ? `Training failed; round ${round} stays in use` : "Training failed";
  return round > 0 ? `Round ${round}, learned from ${labels}` : "No model yet";
}

export function saved(unsaved: number, durable: boolean): string {
  if (unsaved === 0) return "All saved";
  return durable ? `${unsaved} unsaved` : `${unsaved} unsaved, not kept over a reload`;
}

export function answer({ kind, value }: Pick<HistoryRow, "kind" | "value">): string {
  if (kind === "skip") return "skipped";
  if (kind === "unsure") return "unsure";
  return value ?? "";
}

/** What is said when the kernel does not answer; empty when it does. */
export function connection(state: Connection, unsaved: number, durable: boolean, started: boolean): string {
  if (state === "ok" || state === "busy") return "";
  const why = state === "gone" ? "The kernel is gone." : "The kernel does not answer.";
  if (unsaved > 0) {
    const where = durable ? "kept in this browser" : "kept in this page (do not close it)";
    const be = unsaved === 1 ? "is" : "are";
    return `${why} ${count(unsaved, "answer")} ${be} ${where} and will be delivered when the cell runs again.`;
  }
  return started ? `${why} Run the cell again to go on.` : "No kernel. Run the cell to start labelling.";
}
