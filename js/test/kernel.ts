// A kernel for tests: a set of events with a UNIQUE key, and a pool that is served in order. No timers.

import type { Answer, Entry, FromPage, HistoryRow, Queue, Reply, Status, Undo } from "../src/wire";

export function entry(itemId: string, token = `token ${itemId}`): Entry {
  return {
    item_id: itemId,
    token,
    strategy: "margin",
    reason: "the model wavers",
    round: 1,
    probabilities: [
      { name: "cat", p: 0.6 },
      { name: "dog", p: 0.4 },
    ],
    image: {
      buffer: 0,
      encoding: "raw",
      mime: "",
      dtype: "uint8",
      width: 2,
      height: 1,
      channels: 1,
      native_width: 2,
      native_height: 1,
      low: 0,
      high: 255,
    },
  };
}

export function status(over: Partial<Status> = {}): Status {
  return {
    rev: 1,
    state: "ready",
    message: "",
    counts: { total: 100, labelled: 0, skipped: 0, unsure: 0, problems: 0, mine: 0 },
    speed: { median_s: null, per_minute: null },
    classes: ["cat", "dog"],
    training: "idle",
    round: 1,
    trained_labels: 10,
    progress: [],
    store: "test.db",
    ...over,
  };
}

export class ExactlyOnceKernel {
  /** The log: (client, seq) is unique. */
  readonly events = new Map<string, Answer | Undo>();
  readonly refuse = new Set<string>();
  rev = 0;
  #next = 0;

  constructor(readonly total = 1000) {}

  /** What stands for each item, as a fold over the log, whatever order the events came in. */
  labels(): Map<string, string | null> {
    const events = [...this.events.values()];
    const undone = new Set<string>();
    // Undos may be undone: judge by whether an undo itself is standing.
    const undos = events.filter((event): event is Undo => event.kind === "undo");
    const stands = (eventId: string): boolean =>
      !undos.some((u) => u.target === eventId && stands(u.event_id));
    for (const { target, event_id } of undos) if (stands(event_id)) undone.add(target);
    const labels = new Map<string, string | null>();
    const answers = events.filter((event): event is Answer => event.kind === "answer");
    answers.sort((a, b) => a.answered_at_ms - b.answered_at_ms || a.seq - b.seq);
    for (const { item_id, value, event_id } of answers) if (!undone.has(event_id)) labels.set(item_id, value);
    return labels;
  }

  history(): HistoryRow[] {
    return [...this.events.values()]
      .filter((event): event is Answer => event.kind === "answer")
      .map(({ event_id, item_id, answer, value, note, answered_at_ms }) => ({
        event_id,
        item_id,
        kind: answer,
        value,
        note,
        answered_at_ms,
        undone: false,
      }));
  }

  handle(message: FromPage): (Reply | Queue)[] {
    const reply: Reply = { kind: "reply", rid: message.rid, ok: true };
    this.rev += 1;
    const now = status({ rev: this.rev });
    if (message.kind === "answer" || message.kind === "undo") {
      if (this.refuse.has(message.item_id)) {
        return [{ ...reply, ok: false, error: { type: "TaskError", message: "not a class", retry: false } }];
      }
      const key = `${message.client}/${message.seq}`;
      const duplicate = this.events.has(key);
      if (!duplicate) this.events.set(key, message);
      return [{ ...reply, ack: { event_id: message.event_id, duplicate, durable_ms: 1 }, status: now }];
    }
    if (message.kind === "hello" || message.kind === "refill") {
      const entries = this.draw(message.want - message.have.length);
      return [
        { ...reply, entries, status: now, ...(message.kind === "hello" ? { history: this.history() } : {}) },
      ];
    }
    if (message.kind === "show") return [{ ...reply, entries: [entry(message.item_id)] }];
    return [reply];
  }

  draw(n: number): Entry[] {
    const drawn: Entry[] = [];
    for (; drawn.length < n && this.#next < this.total; this.#next += 1)
      drawn.push(entry(`item ${this.#next}`));
    return drawn;
  }
}

/** A storage like the browser's. */
export class MemoryStorage {
  readonly map = new Map<string, string>();
  get length(): number {
    return this.map.size;
  }
  key(index: number): string | null {
    return [...this.map.keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.map.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.map.set(key, value);
  }
  removeItem(key: string): void {
    this.map.delete(key);
  }
}

export const BYTES: readonly DataView[] = [new DataView(new ArrayBuffer(2))];
