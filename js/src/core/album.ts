// Decoded pictures, ahead of time for what comes next and for a while for what was answered.

import type { Entry } from "../wire";

/** Something that can be drawn; what it is, only the views know. */
export interface Picture {
  close(): void;
}

export type Decode<P extends Picture> = (entry: Entry, buffer: DataView) => Promise<P>;

interface Page<P> {
  entry: Entry;
  picture: P | null;
  decoding: boolean;
}

const REMEMBERED = 10;

export class Album<P extends Picture> {
  readonly #pages = new Map<string, Page<P>>();

  readonly #decode: Decode<P>;
  readonly #ready: (itemId: string) => void;
  readonly #bad: (itemId: string, reason: string) => void;
  constructor(
    decode: Decode<P>,
    ready: (itemId: string) => void,
    bad: (itemId: string, reason: string) => void,
  ) {
    this.#decode = decode;
    this.#ready = ready;
    this.#bad = bad;
  }

  /** Takes an entry and decodes its picture, unless that is here already. */
  add(entry: Entry, buffer: DataView | undefined): void {
    const { item_id } = entry;
    const old = this.#pages.get(item_id);
    const page: Page<P> = old ?? { entry, picture: null, decoding: false };
    page.entry = entry;
    // Newest last: that is the order in which pages are forgotten.
    this.#pages.delete(item_id);
    this.#pages.set(item_id, page);
    if (page.picture != null || page.decoding) return;
    if (buffer == null) {
      this.#bad(item_id, "the picture's bytes did not arrive");
      return;
    }
    page.decoding = true;
    this.#decode(entry, buffer).then(
      (picture) => {
        page.decoding = false;
        if (this.#pages.get(item_id) !== page) {
          picture.close();
          return;
        }
        page.picture = picture;
        this.#ready(item_id);
      },
      (error: unknown) => {
        page.decoding = false;
        if (this.#pages.get(item_id) === page)
          this.#bad(item_id, error instanceof Error ? error.message : String(error));
      },
    );
  }

  entry(itemId: string): Entry | null {
    return this.#pages.get(itemId)?.entry ?? null;
  }

  picture(itemId: string): P | null {
    return this.#pages.get(itemId)?.picture ?? null;
  }

  /** Forgets the oldest pictures that are not in `needed`. */
  prune(needed: ReadonlySet<string>): void {
    const spare = [...this.#pages.keys()].filter((itemId) => !needed.has(itemId));
    for (const itemId of spare.slice(0, Math.max(0, spare.length - REMEMBERED))) this.forget(itemId);
  }

  forget(itemId: string): void {
    this.#pages.get(itemId)?.picture?.close();
    this.#pages.delete(itemId);
  }

  clear(): void {
    for (const itemId of [...this.#pages.keys()]) this.forget(itemId);
  }
}
