// The masks of all sections as this annotator has drawn them: what the kernel has told, and this page's strokes over it.
//
// The truth is a fold over the log of events. This page's strokes are folded here, so that painting and undo wait for nobody;
// older ones are known only as what they add up to. Where the kernel's word differs once nothing of ours is under way, it holds.

import type { Part, SectionState } from "../../volume-wire";
import { decodeRuns } from "./runs";
import { type Raster, UNLABELLED } from "./values";

interface Stroke {
  event_id: string;
  parts: readonly Part[];
  undone: boolean;
}

interface Page {
  raster: Raster;
  base: readonly Part[];
  strokes: Stroke[];
}

export class MaskBook {
  readonly #pages = new Map<string, Page>();
  readonly #rows: number;
  readonly #columns: number;
  constructor(rows: number, columns: number) {
    this.#rows = rows;
    this.#columns = columns;
  }

  /** The mask of a section; it may be drawn into, as long as `add` follows. */
  of(itemId: string): Raster {
    return this.#page(itemId).raster;
  }

  /** Whether anything was ever drawn or told of a section: others have no mask yet. */
  knows(itemId: string): boolean {
    return this.#pages.has(itemId);
  }

  /** Whether anything is labelled on a section. */
  has(itemId: string): boolean {
    return this.#pages.get(itemId)?.raster.pixels.some((pixel) => pixel !== UNLABELLED) ?? false;
  }

  /** A stroke of this page. `laid` are sections into whose mask it has been drawn already. Gives the sections it changed. */
  add(event_id: string, parts: readonly Part[], laid: ReadonlySet<string> = new Set()): string[] {
    const items = [...new Set(parts.map(({ item_id }) => item_id))];
    for (const item of items) {
      const page = this.#page(item);
      const own = parts.filter(({ item_id }) => item_id === item);
      page.strokes.push({ event_id, parts: own, undone: false });
      if (!laid.has(item)) for (const part of own) lay(page.raster, part);
    }
    return items;
  }

  /** Takes a stroke back or puts it on again. Gives the sections that changed; none when only the kernel knows the stroke. */
  mark(event_id: string, undone: boolean): string[] {
    const changed: string[] = [];
    for (const [item, page] of this.#pages) {
      const stroke = page.strokes.find((other) => other.event_id === event_id);
      if (stroke == null) continue;
      stroke.undone = undone;
      this.#fold(page);
      changed.push(item);
    }
    return changed;
  }

  /** Folds a section again: what was drawn into its mask without becoming a stroke is gone. */
  refold(itemId: string): void {
    this.#fold(this.#page(itemId));
  }

  /** Forgets a stroke that the kernel will never take. */
  forget(event_id: string): string[] {
    const changed = this.mark(event_id, true);
    for (const page of this.#pages.values())
      page.strokes = page.strokes.filter((stroke) => stroke.event_id !== event_id);
    return changed;
  }

  /**
   * The kernel's word on a section. It counts only while nothing of ours is under way: otherwise it may be from before. True
   * when the mask is another one now.
   */
  adopt({ item_id, parts }: Pick<SectionState, "item_id" | "parts">): boolean {
    const old = this.#pages.get(item_id);
    if (old == null && parts.length === 0) return false;
    const page = this.#page(item_id);
    const told = blank(this.#rows, this.#columns);
    for (const part of parts) lay(told, part);
    const { pixels } = page.raster;
    // A loop: `every` takes ten times as long, in the middle of the next stroke.
    let same = pixels.length;
    while (same > 0 && told.pixels[same - 1] === pixels[same - 1]) same -= 1;
    if (same === 0) return false;
    page.base = parts;
    page.strokes = [];
    pixels.set(told.pixels);
    return true;
  }

  /** The kernel's word before this page has drawn anything: what our strokes, if there are any, lie on. */
  begin({ item_id, parts }: Pick<SectionState, "item_id" | "parts">): void {
    if (parts.length === 0 && !this.#pages.has(item_id)) return;
    const page = this.#page(item_id);
    page.base = parts;
    this.#fold(page);
  }

  #page(itemId: string): Page {
    let page = this.#pages.get(itemId);
    if (page == null) {
      page = { raster: blank(this.#rows, this.#columns), base: [], strokes: [] };
      this.#pages.set(itemId, page);
    }
    return page;
  }

  #fold({ raster, base, strokes }: Page): void {
    raster.pixels.fill(UNLABELLED);
    for (const part of base) lay(raster, part);
    for (const stroke of strokes) if (!stroke.undone) for (const part of stroke.parts) lay(raster, part);
  }
}

export function blank(rows: number, columns: number): Raster {
  return { rows, columns, pixels: new Uint8Array(rows * columns).fill(UNLABELLED) };
}

export function lay({ pixels, rows, columns }: Raster, { box, runs, value }: Part): void {
  const [top = 0, left = 0, height = 0, width = 0] = box;
  if (top < 0 || left < 0 || top + height > rows || left + width > columns)
    throw new Error(`box ${box.join(", ")} lies outside ${rows} × ${columns}`);
  decodeRuns(runs, box, (row, from, to) => void pixels.fill(value, row * columns + from, row * columns + to));
}
