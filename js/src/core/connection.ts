// Whether the kernel is there, judged from what the host says and from what has (not) come back.

/** What the host knows of the kernel; "unknown" where it does not say. */
export type KernelStatus = "alive" | "busy" | "dead" | "unknown";

/** ok: it answers. busy: it will. silent: no answer and no reason known. gone: it is dead, or this widget's line to it. */
export type Connection = "ok" | "busy" | "silent" | "gone";

export interface Signs {
  now: number;
  /** When the kernel last sent anything; null if never. */
  last_heard: number | null;
  /** Since when something is unanswered; null when nothing is. */
  waiting_since: number | null;
  kernel: KernelStatus;
  /** When sending failed or the host cut the line; null if never. */
  lost_at: number | null;
}

export const BUSY_AFTER_MS = 1_200;
export const SILENT_AFTER_MS = 8_000;

export function judge({ now, last_heard, waiting_since, kernel, lost_at }: Signs): Connection {
  if (kernel === "dead") return "gone";
  if (lost_at != null && (last_heard == null || last_heard <= lost_at)) return "gone";
  if (waiting_since == null) return "ok";
  const silence = now - Math.max(waiting_since, last_heard ?? waiting_since);
  if (silence > SILENT_AFTER_MS && kernel !== "busy") return "silent";
  return silence > BUSY_AFTER_MS ? "busy" : "ok";
}
