// Sections as they are shown: processed in slices of a frame, the one on the screen first, all others for the planes across.

import type { Grid } from "../display/filters";
import { percentileRange, type Range } from "../display/levels";
import { Chain, recipeKey } from "../display/recipe";
import { runFor, type Sliced } from "../display/sliced";
import { batch, signal } from "../signal";
import type { Sections } from "./sections";
import type { Display, Settings } from "./settings";

/** Values of processed sections that are kept for the planes. Beyond, the planes show the data as they are. */
const KEPT_VALUES = 48e6;
/** A recipe that takes longer than this for a section is for the section on the screen alone. */
const HEAVY_MS = 150;
const SLICE_MS = 8;
/** What a section may take before another one is shown: within this the picture changes in one go. */
const AT_ONCE_MS = 24;

export interface Processed {
  readonly index: number;
  readonly grid: Grid;
  readonly key: string;
}

interface Work {
  index: number;
  spent_ms: number;
  run: Sliced<Grid>;
}

export class Studio {
  /** The section that can be shown; it may be the one before while the next is worked on. */
  readonly current = signal<Processed | null>(null);
  /** True while something that the eye waits for takes longer than a frame. */
  readonly busy = signal(false);
  /** Counts processed sections of the planes. */
  readonly across = signal(0);
  /** Whether there is anything to do in the next slice. */
  readonly pending = signal(false);

  readonly #sections: Sections;
  readonly #settings: Settings;
  readonly #now: () => number;
  readonly #chain = new Chain();
  readonly #done = new Map<number, Grid>();
  #key = "";
  #wanted = 0;
  #work: Work | null = null;
  /** Milliseconds that the newest section took. */
  #cost = 0;
  #limits: { grid: Grid; percent: number; symmetric: boolean; range: Range } | null = null;

  constructor(sections: Sections, settings: Settings, now: () => number) {
    this.#sections = sections;
    this.#settings = settings;
    this.#now = now;
    sections.replaced.add((index) => this.#forget(index));
  }

  /** The section on the screen, the data, or the settings are different. */
  show(index: number): void {
    const { process } = this.#settings.display.peek();
    const key = recipeKey(process, this.#settings.spacing());
    this.#wanted = index;
    if (key !== this.#key) {
      this.#key = key;
      this.#cost = 0;
      this.#done.clear();
      this.#work = null;
    }
    const shown = this.current.peek();
    if (shown?.index === index && shown.key === key) {
      this.pending.set(this.#next() != null);
      return;
    }
    const kept = this.#done.get(index);
    if (kept != null) {
      this.current.set({ index, grid: kept, key });
      this.busy.set(false);
      this.pending.set(true);
      return;
    }
    const grid = this.#sections.grid(index);
    if (grid == null) return;
    this.#work = { index, spent_ms: 0, run: this.#chain.run(grid, process, this.#settings.spacing()) };
    this.step(AT_ONCE_MS);
  }

  /** Works for a while. */
  step(ms = SLICE_MS): void {
    const until = this.#now() + ms;
    do {
      this.#work ??= this.#next();
      const work = this.#work;
      if (work == null) break;
      const from = this.#now();
      const grid = runFor(work.run, this.#now, until);
      work.spent_ms += this.#now() - from;
      if (grid === undefined) break;
      this.#work = null;
      this.#cost = work.spent_ms;
      this.#finish(work.index, grid);
    } while (this.#now() < until);
    const shown = this.current.peek();
    const waits = shown?.index !== this.#wanted || shown.key !== this.#key;
    this.busy.set(waits && this.#work?.index === this.#wanted);
    this.pending.set(this.#work != null || this.#next() != null);
  }

  /** Values of a section for a plane; null until they are there. */
  values(index: number): { columns: number; samples: ArrayLike<number> } | null {
    if (this.#key !== "" && this.#whole) {
      const grid = this.#done.get(index);
      return grid == null ? null : { columns: grid.columns, samples: grid.values };
    }
    return this.#sections.get(index);
  }

  /** The values shown black and white. */
  range(display: Display): Range {
    const grid = this.current.peek()?.grid;
    const { percent, symmetric } = display;
    if (percent == null || grid == null) return display.range;
    const old = this.#limits;
    if (old?.grid === grid && old.percent === percent && old.symmetric === symmetric) return old.range;
    const range = percentileRange(grid, percent, symmetric);
    this.#limits = { grid, percent, symmetric, range };
    return range;
  }

  /** Whether the whole volume can be processed and kept. */
  get #whole(): boolean {
    const { sections, rows, columns } = this.#settings.info;
    return this.#cost <= HEAVY_MS && sections * rows * columns <= KEPT_VALUES;
  }

  #forget(index: number): void {
    this.#done.delete(index);
    if (this.#work?.index === index) this.#work = null;
    if (this.current.peek()?.index === index) this.current.set(null);
  }

  #finish(index: number, grid: Grid): void {
    batch(() => {
      if (this.#whole || index === this.#wanted) this.#done.set(index, grid);
      if (!this.#whole) for (const old of this.#done.keys()) if (this.#done.size > 6) this.#done.delete(old);
      if (index === this.#wanted) this.current.set({ index, grid, key: this.#key });
      this.across.set(this.across.peek() + 1);
    });
  }

  /** The next section to be processed for the planes: the nearest that is missing. */
  #next(): Work | null {
    const { sections } = this.#settings.info;
    const { process } = this.#settings.display.peek();
    const wanted = this.current.peek()?.index === this.#wanted && this.current.peek()?.key === this.#key;
    const far = this.#key === "" || !this.#whole ? 1 : sections;
    for (let away = wanted ? 1 : 0; away < far; away += 1) {
      for (const index of away === 0 ? [this.#wanted] : [this.#wanted + away, this.#wanted - away]) {
        if (this.#done.has(index) || this.#sections.get(index) == null) continue;
        const grid = this.#sections.grid(index);
        if (grid == null) continue;
        // A chain of its own: that of the section on the screen keeps its steps.
        const chain = away === 0 ? this.#chain : new Chain();
        return { index, spent_ms: 0, run: chain.run(grid, process, this.#settings.spacing()) };
      }
    }
    return null;
  }
}
