// Bytes of the sections: the one on the screen first, its neighbours next, then all others in the background.

import type { Section, VolumeInfo } from "../../volume-wire";
import type { Grid } from "../display/filters";
import { type Samples, samplesOf } from "../pixels";
import { type Signal, signal } from "../signal";

/** Bytes that are kept. Beyond them only what is on the screen and around it is fetched, and the farthest is forgotten. */
const KEPT_BYTES = 256e6;
/** Bytes that are asked for with one request, and requests under way. */
const BATCH_BYTES = 4e6;
const AT_ONCE = 2;

export interface Slice {
  readonly rows: number;
  /** Real columns; a short line has fewer than the volume. */
  readonly columns: number;
  readonly samples: Samples;
}

export class Sections {
  /** Counts what has arrived. */
  readonly arrived: Signal<number> = signal(0);
  /** Called when a section is to be shown with other pixels than before. */
  readonly replaced = new Set<(index: number) => void>();
  readonly #slices = new Map<number, Slice>();
  readonly #asked = new Set<number>();
  /** Float values of the sections looked at last. */
  readonly #grids = new Map<number, Grid>();
  #centre = 0;
  #running = 0;

  readonly #info: VolumeInfo;
  readonly #ask: (
    indices: number[],
    done: (sections: readonly Section[] | null, buffers: readonly DataView[]) => void,
  ) => void;
  readonly #bad: (message: string) => void;
  constructor(
    info: VolumeInfo,
    ask: (
      indices: number[],
      done: (sections: readonly Section[] | null, buffers: readonly DataView[]) => void,
    ) => void,
    bad: (message: string) => void,
  ) {
    this.#info = info;
    this.#ask = ask;
    this.#bad = bad;
  }

  get(index: number): Slice | null {
    return this.#slices.get(index) ?? null;
  }

  /** The values of a section; what is not finite counts as 0. */
  grid(index: number): Grid | null {
    const known = this.#grids.get(index);
    if (known != null) return known;
    const slice = this.#slices.get(index);
    if (slice == null) return null;
    const values = Float32Array.from(slice.samples);
    if (slice.samples instanceof Float32Array)
      for (let i = 0; i < values.length; i += 1) if (!Number.isFinite(values[i])) values[i] = 0;
    const grid = { rows: slice.rows, columns: slice.columns, values };
    this.#grids.set(index, grid);
    for (const old of this.#grids.keys()) {
      if (this.#grids.size <= 4) break;
      this.#grids.delete(old);
    }
    return grid;
  }

  /** The section on the screen is another one. */
  look(index: number): void {
    this.#centre = index;
    // What is looked at never waits for what is fetched ahead.
    if (!this.#slices.has(index) && !this.#asked.has(index)) this.#fetch([index]);
    this.fill();
  }

  /** What is known of a section is no longer what is to be shown there. */
  replace(index: number): void {
    this.#slices.delete(index);
    this.#grids.delete(index);
    this.#asked.delete(index);
    for (const tell of this.replaced) tell(index);
    this.look(this.#centre);
  }

  /** Asks for what is missing, the nearest first. */
  fill(): void {
    while (this.#running < AT_ONCE) {
      const batch = this.#missing().slice(0, Math.max(1, Math.floor(BATCH_BYTES / this.#bytes)));
      if (batch.length === 0) return;
      this.#fetch(batch);
    }
  }

  /** How many sections are here, of all. */
  get progress(): { done: number; total: number } {
    return { done: this.#slices.size, total: Math.min(this.#info.sections, this.#room) };
  }

  get #bytes(): number {
    const { rows, columns, dtype } = this.#info;
    return rows * columns * (dtype === "float32" ? 4 : dtype.endsWith("16") ? 2 : 1);
  }

  get #room(): number {
    return Math.max(3, Math.floor(KEPT_BYTES / this.#bytes));
  }

  #missing(): number[] {
    const { sections } = this.#info;
    const found: number[] = [];
    const room = Math.min(this.#room, sections);
    for (let away = 0, seen = 0; away < sections && seen < room; away += 1) {
      for (const index of away === 0 ? [this.#centre] : [this.#centre + away, this.#centre - away]) {
        if (index < 0 || index >= sections || seen >= room) continue;
        seen += 1;
        if (!this.#slices.has(index) && !this.#asked.has(index)) found.push(index);
      }
    }
    return found;
  }

  #fetch(indices: number[]): void {
    for (const index of indices) this.#asked.add(index);
    this.#running += 1;
    this.#ask(indices, (sections, buffers) => {
      this.#running -= 1;
      for (const index of indices) this.#asked.delete(index);
      // Given up: asked again with the next look, so that a dead kernel is not asked without end.
      if (sections == null) return;
      for (const section of sections) this.#take(section, buffers[section.buffer]);
      this.#prune();
      this.arrived.set(this.arrived.peek() + 1);
      this.fill();
    });
  }

  #take({ index, rows, columns, item_id }: Section, buffer: DataView | undefined): void {
    try {
      if (buffer == null) throw new Error("its bytes did not arrive");
      const samples = samplesOf(
        { dtype: this.#info.dtype, width: columns, height: rows, channels: 1 },
        buffer,
      );
      this.#slices.set(index, { rows, columns, samples });
    } catch (error) {
      this.#bad(`${item_id} cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
      this.#slices.set(index, { rows, columns, samples: new Uint8Array(rows * columns) });
    }
  }

  #prune(): void {
    const over = this.#slices.size - this.#room;
    if (over <= 0) return;
    const far = [...this.#slices.keys()].sort(
      (a, b) => Math.abs(b - this.#centre) - Math.abs(a - this.#centre),
    );
    for (const index of far.slice(0, over)) this.#slices.delete(index);
  }
}
