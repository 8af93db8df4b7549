// Answers that the kernel has not yet confirmed. They survive a reload and a dead kernel, and are sent until confirmed.
//
// One storage key an event, so that two tabs can never overwrite each other's list:
//   al_widgets:outbox:<store_id>:<client>:<seq>  ->  {"annotator": …, "message": …, "rejected": …}

import type { Answer, Undo } from "../wire";
import { type KeyValue, readJson, writeJson } from "./storage";

/** What every event has, whatever it says. */
export interface EventBase {
  kind: string;
  client: string;
  seq: number;
  event_id: string;
  answered_at_ms: number;
}

export type EventMessage = Answer | Undo;

export interface Waiting<E extends EventBase = EventMessage> {
  readonly message: E;
  readonly annotator: string;
  /** Reason of the kernel's final refusal. */
  rejected: string | null;
  /** In the browser's storage, so that it survives a reload. */
  kept: boolean;
  /** Sent, and nothing has come back for it. */
  awaiting: boolean;
  sent_at: number | null;
  tries: number;
}

const FIRST_RETRY_MS = 4_000;
const LAST_RETRY_MS = 60_000;

export class Outbox<E extends EventBase = EventMessage> {
  readonly #items = new Map<string, Waiting<E>>();
  readonly #prefix: string;
  #seq = 0;

  readonly #storage: KeyValue | null;
  readonly #annotator: string;
  readonly #kinds: readonly string[];
  /** `kinds` are those of the events that are kept here; others of the same store are not ours. */
  constructor(
    storage: KeyValue | null,
    storeId: string,
    readonly client: string,
    annotator: string,
    kinds: readonly E["kind"][] = ["answer", "undo"],
  ) {
    this.#kinds = kinds;
    this.#storage = storage;
    this.#annotator = annotator;
    this.#prefix = `al_widgets:outbox:${storeId}:`;
  }

  /** Number for the next event of this page. */
  nextSeq(): number {
    const seq = this.#seq;
    this.#seq += 1;
    return seq;
  }

  /** Keeps an event; when this returns it is in the browser's storage (if there is one). */
  add(message: E): Waiting<E> {
    const item = waiting(message, this.#annotator, null);
    this.#items.set(message.event_id, item);
    this.#write(item);
    return item;
  }

  /** Takes over what earlier pages of this annotator left behind; `alive` are clients that look after themselves. */
  adopt(alive: ReadonlySet<string>): Waiting<E>[] {
    const taken: Waiting<E>[] = [];
    for (const key of this.#stored()) {
      const item = restore<E>(readJson(this.#storage, key), this.#kinds);
      if (item == null || item.annotator !== this.#annotator) continue;
      const { client, event_id } = item.message;
      if (client === this.client || alive.has(client) || this.#items.has(event_id)) continue;
      if (key !== this.#key(item.message)) continue;
      this.#items.set(event_id, item);
      taken.push(item);
    }
    taken.sort((a, b) => a.message.answered_at_ms - b.message.answered_at_ms);
    return taken;
  }

  /** Events to send now, oldest first. Each is counted as sent. */
  due(now: number): E[] {
    const messages: E[] = [];
    for (const item of this.#items.values()) {
      if (item.rejected != null) continue;
      const wait = Math.min(FIRST_RETRY_MS * 2 ** (item.tries - 1), LAST_RETRY_MS);
      if (item.sent_at != null && now - item.sent_at < wait) continue;
      item.sent_at = now;
      item.tries += 1;
      item.awaiting = true;
      messages.push(item.message);
    }
    return messages;
  }

  /** Makes everything due at once, for example when the kernel is back. */
  hurry(): void {
    for (const item of this.#items.values()) {
      item.sent_at = null;
      item.tries = 0;
    }
  }

  /** The kernel has it on disk (or the user has dismissed it): forget it. */
  settle(eventId: string): Waiting<E> | null {
    const item = this.#items.get(eventId) ?? null;
    if (item == null) return null;
    this.#items.delete(eventId);
    writeJson(this.#storage, this.#key(item.message), undefined);
    return item;
  }

  /** The kernel will never take it: keep it, with the reason, until the user has seen it. */
  reject(eventId: string, reason: string): Waiting<E> | null {
    const item = this.#items.get(eventId) ?? null;
    if (item == null) return null;
    item.rejected = reason;
    this.#write(item);
    return item;
  }

  /** Events that are neither confirmed nor rejected. */
  get unsaved(): number {
    let n = 0;
    for (const item of this.#items.values()) if (item.rejected == null) n += 1;
    return n;
  }

  /** Whether anything was sent that nothing has come back for. */
  get awaiting(): boolean {
    for (const item of this.#items.values()) if (item.rejected == null && item.awaiting) return true;
    return false;
  }

  /** The kernel could not take it now; it is sent again later. */
  postpone(eventId: string): Waiting<E> | null {
    const item = this.#items.get(eventId) ?? null;
    if (item != null) item.awaiting = false;
    return item;
  }

  /** Whether all that waits would survive a reload. */
  get durable(): boolean {
    for (const item of this.#items.values()) if (!item.kept && item.rejected == null) return false;
    return true;
  }

  get(eventId: string): Waiting<E> | null {
    return this.#items.get(eventId) ?? null;
  }

  /** All that waits, rejected included. */
  all(): Waiting<E>[] {
    return [...this.#items.values()];
  }

  #key(message: E): string {
    return `${this.#prefix}${message.client}:${message.seq}`;
  }

  #write(item: Waiting<E>): void {
    const { annotator, message, rejected } = item;
    item.kept = writeJson(this.#storage, this.#key(message), { annotator, message, rejected });
  }

  /** Keys of all events kept for this store. */
  #stored(): string[] {
    const found: string[] = [];
    try {
      for (let i = 0; i < (this.#storage?.length ?? 0); i += 1) {
        const key = this.#storage?.key(i);
        if (key?.startsWith(this.#prefix)) found.push(key);
      }
    } catch {
      // Forbidden storage holds nothing of ours.
    }
    return found;
  }
}

function restore<E extends EventBase>(stored: unknown, kinds: readonly string[]): Waiting<E> | null {
  const { annotator, message, rejected } = (stored ?? {}) as Partial<Waiting<E>>;
  if (typeof annotator !== "string" || typeof message?.client !== "string") return null;
  if (typeof message.event_id !== "string" || !Number.isInteger(message.seq)) return null;
  if (!kinds.includes(message.kind)) return null;
  return waiting(message, annotator, typeof rejected === "string" ? rejected : null);
}

function waiting<E extends EventBase>(message: E, annotator: string, rejected: string | null): Waiting<E> {
  return { message, annotator, rejected, kept: true, awaiting: false, sent_at: null, tries: 0 };
}
