// Requests that want a reply: sent again after a time-out, given up after a few times. Answers go through the outbox.

import type { AddClass, BadImage, Hello, History, Refill, Reply, Show } from "../wire";

export type Request = Hello | Refill | Show | History | AddClass | BadImage;

/** What every request has, whatever it asks. */
export interface RequestBase {
  kind: string;
  rid: string;
  client: string;
}

type Distributive<T> = T extends unknown ? Omit<T, "rid" | "client"> : never;
/** A request without what the RPC adds. */
export type RequestBody<Q extends RequestBase = Request> = Distributive<Q>;

interface Open<Q extends RequestBase, R> {
  message: Q;
  /** Made anew for each try, since what the page has changes. */
  body: () => RequestBody<Q>;
  sent_at: number;
  tries: number;
  done: (reply: R | null, buffers: readonly DataView[]) => void;
}

const RETRY_MS = 4_000;
const MAX_TRIES = 5;
const LAST_RETRY_MS = 16_000;

export class Rpc<Q extends RequestBase = Request, R extends { rid: string } = Reply> {
  readonly #open = new Map<string, Open<Q, R>>();
  #n = 0;

  readonly #client: string;
  readonly #send: (message: Q) => void;
  readonly #now: () => number;
  constructor(client: string, send: (message: Q) => void, now: () => number) {
    this.#client = client;
    this.#send = send;
    this.#now = now;
  }

  /** Sends a request. `done` is called once: with the reply, or with null when it was given up. */
  request(body: () => RequestBody<Q>, done: Open<Q, R>["done"]): void {
    const rid = `${this.#client}:r${this.#n}`;
    this.#n += 1;
    const message = { ...body(), rid, client: this.#client } as unknown as Q;
    const now = this.#now();
    this.#open.set(rid, { message, body, sent_at: now, tries: 1, done });
    this.#send(message);
  }

  /** Hands a reply to whoever asked; false when nobody waits for it (any more). */
  receive(reply: R, buffers: readonly DataView[]): boolean {
    const open = this.#open.get(reply.rid);
    if (open == null) return false;
    this.#open.delete(reply.rid);
    open.done(reply, buffers);
    return true;
  }

  /** Sends again what has waited too long; call it now and then. */
  tick(): void {
    const now = this.#now();
    for (const [rid, open] of [...this.#open]) {
      if (now - open.sent_at < Math.min(RETRY_MS * 2 ** (open.tries - 1), LAST_RETRY_MS)) continue;
      // A page without a hello has nothing: it goes on knocking.
      if (open.tries >= MAX_TRIES && open.message.kind !== "hello") {
        this.#open.delete(rid);
        open.done(null, []);
        continue;
      }
      open.tries += 1;
      open.sent_at = now;
      open.message = { ...open.body(), rid, client: this.#client } as unknown as Q;
      this.#send(open.message);
    }
  }

  isOpen(kind: Q["kind"]): boolean {
    for (const { message } of this.#open.values()) if (message.kind === kind) return true;
    return false;
  }

  /** Whether any request is unanswered. */
  get waiting(): boolean {
    return this.#open.size > 0;
  }
}
