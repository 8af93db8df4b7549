// The items this page holds: what is on the screen, and what comes next. The kernel ranks, the page never waits.

import type { Entry, Queue } from "../wire";

export class EntryWindow {
  #items: Entry[] = [];
  /** Items that were put back by undo: a new ranking must not sweep them away. */
  readonly #pinned = new Set<string>();
  #rev = -1;

  /** What is on the screen (or will be, when the user comes back from the history). */
  get current(): Entry | null {
    return this.#items[0] ?? null;
  }

  get size(): number {
    return this.#items.length;
  }

  entries(): readonly Entry[] {
    return this.#items;
  }

  have(): string[] {
    return this.#items.map((entry) => entry.item_id);
  }

  has(itemId: string): boolean {
    return this.#items.some((entry) => entry.item_id === itemId);
  }

  /** Appends entries that are new and not `blocked`; returns those. */
  add(entries: readonly Entry[], blocked: (entry: Entry) => boolean): Entry[] {
    const added: Entry[] = [];
    for (const entry of entries) {
      if (this.has(entry.item_id) || blocked(entry)) continue;
      this.#items.push(entry);
      added.push(entry);
    }
    return added;
  }

  /** Takes in a push. A push older than the last one only drops: its ranking is out of date. */
  merge(push: Queue, blocked: (entry: Entry) => boolean): Entry[] {
    const [current, ...rest] = this.#items;
    const keep = new Set(push.keep);
    const drop = new Set(push.drop);
    const stale = push.rev < this.#rev;
    const staying = rest.filter(
      ({ item_id }) =>
        this.#pinned.has(item_id) || (!drop.has(item_id) && (stale || !push.replace || keep.has(item_id))),
    );
    const fresh = new Map(push.entries.map((entry) => [entry.item_id, entry]));
    this.#items = [
      ...(current == null ? [] : [current]),
      // The same item in a new ranking: its token and its reason are newer.
      ...staying.map((entry) => (stale ? entry : (fresh.get(entry.item_id) ?? entry))),
    ];
    if (stale) return [];
    this.#rev = push.rev;
    return this.add(push.entries, blocked);
  }

  /** Removes what is on the screen, because it was answered. */
  take(): Entry | null {
    const entry = this.#items.shift() ?? null;
    if (entry != null) this.#pinned.delete(entry.item_id);
    return entry;
  }

  /** Puts an item in front, because its answer was undone. */
  putBack(entry: Entry): void {
    this.remove(entry.item_id);
    this.#items.unshift(entry);
    this.#pinned.add(entry.item_id);
  }

  /** Takes a newer version of an item that is here. */
  update(entry: Entry): void {
    this.#items = this.#items.map((item) => (item.item_id === entry.item_id ? entry : item));
  }

  remove(itemId: string): void {
    this.#items = this.#items.filter((entry) => entry.item_id !== itemId);
    this.#pinned.delete(itemId);
  }
}
