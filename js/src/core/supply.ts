// Keeps items at hand: the window, their pictures, and the requests that fill them up.

import type { Entry, Queue } from "../wire";
import { Album, type Decode, type Picture } from "./album";
import type { Link } from "./link";
import { NO_ANSWER } from "./text";
import { EntryWindow } from "./window";

/** Items to hold, the one on the screen included. */
export const WANT = 10;
const LOW = 5;
const PAUSE_MS = 1_500;
const LONG_PAUSE_MS = 10_000;

export interface SupplyEvents {
  /** Something about what is on the screen may be different now. */
  changed(): void;
  /** The browser cannot show an item. */
  bad(itemId: string): void;
  /** Whether an entry must not come (back) into the window. */
  blocked(entry: Entry): boolean;
  /** Item under review, whose picture must stay. */
  reviewed(): string | null;
}

export class Supply<P extends Picture> {
  readonly held = new EntryWindow();
  readonly #album: Album<P>;
  #notBefore = 0;
  #pause = PAUSE_MS;

  readonly #link: Link;
  readonly #events: SupplyEvents;
  readonly #now: () => number;
  constructor(decode: Decode<P>, link: Link, events: SupplyEvents, now: () => number) {
    this.#link = link;
    this.#events = events;
    this.#now = now;
    this.#album = new Album(
      decode,
      () => events.changed(),
      (itemId, reason) => {
        this.#album.forget(itemId);
        this.held.remove(itemId);
        this.#link.request(
          () => ({ kind: "bad_image", item_id: itemId, reason }),
          () => undefined,
        );
        events.bad(itemId);
        events.changed();
      },
    );
  }

  /** Takes the entries of a reply. */
  add(entries: readonly Entry[], buffers: readonly DataView[]): void {
    const added = this.held.add(entries, (entry) => this.#events.blocked(entry));
    this.#pause = added.length > 0 ? PAUSE_MS : Math.min(this.#pause * 2, LONG_PAUSE_MS);
    this.#notBefore = added.length > 0 ? 0 : this.#now() + this.#pause;
    this.#decode(added, buffers);
  }

  /** Takes a push of the kernel. */
  merge(push: Queue, buffers: readonly DataView[]): void {
    this.#decode(
      this.held.merge(push, (entry) => this.#events.blocked(entry)),
      buffers,
    );
    this.#pause = PAUSE_MS;
    this.#notBefore = 0;
  }

  entry(itemId: string): Entry | null {
    return this.#album.entry(itemId);
  }

  picture(itemId: string): P | null {
    return this.#album.picture(itemId);
  }

  /** Asks for one item again, to look at it. Until it comes, there is a page without a picture. */
  fetch(itemId: string, failed: (message: string) => void): void {
    this.#link.request(
      () => ({ kind: "show", item_id: itemId }),
      (reply, buffers) => {
        const entry = reply?.ok === true ? reply.entries?.[0] : undefined;
        if (entry == null) {
          failed(reply?.error?.message ?? NO_ANSWER);
          return;
        }
        this.held.update(entry);
        this.#album.add(entry, buffers[entry.image.buffer]);
        this.#events.changed();
      },
    );
  }

  /** Asks for more when there is little left. */
  refill(): void {
    if (this.held.size >= LOW || this.#now() < this.#notBefore) return;
    if (this.#link.isOpen("refill") || this.#link.isOpen("hello")) return;
    this.#link.request(
      () => ({ kind: "refill", have: this.held.have(), want: WANT }),
      (reply, buffers) => {
        if (reply?.ok === true) this.add(reply.entries ?? [], buffers);
        else this.#notBefore = this.#now() + LONG_PAUSE_MS;
        this.#events.changed();
      },
    );
  }

  prune(): void {
    const needed = new Set(this.held.have());
    const reviewed = this.#events.reviewed();
    if (reviewed != null) needed.add(reviewed);
    this.#album.prune(needed);
  }

  close(): void {
    this.#album.clear();
  }

  #decode(entries: readonly Entry[], buffers: readonly DataView[]): void {
    for (const entry of entries) this.#album.add(entry, buffers[entry.image.buffer]);
    this.prune();
  }
}
