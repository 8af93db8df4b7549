// Masks and what the model expects, as bitmaps of their own resolution: hard edges, never more than what has changed.

import { type Box, IGNORED, isEmpty, type Raster, UNLABELLED } from "../../core/mask/values";
import type { Expected } from "../../core/volume/expected";
import { accent } from "../palette";

/** Colours of all values of a mask, as RGBA words in memory order, and those of the other half of stripes. */
interface Inks {
  first: Uint32Array;
  second: Uint32Array;
}

function word(colour: string, alpha: number): number {
  const rgb = Number.parseInt(colour.slice(1), 16);
  return ((alpha << 24) | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}

/** Class 0 is what the rest is: it is laid thinly. */
const ALPHA = 255;
const REST_ALPHA = 110;

function makeInks(): Inks {
  const first = new Uint32Array(256);
  const second = new Uint32Array(256);
  for (let value = 0; value < IGNORED; value += 1) {
    const { colour, striped } = accent(value);
    const alpha = value === 0 ? REST_ALPHA : ALPHA;
    first[value] = word(colour, alpha);
    second[value] = word(colour, striped ? alpha / 3 : alpha);
  }
  first[IGNORED] = word("#202020", 200);
  second[IGNORED] = word("#f0f0f0", 200);
  first[UNLABELLED] = 0;
  return { first, second };
}

const INKS = makeInks();

/** A bitmap that is painted box by box. */
export class MaskBitmap {
  readonly source = document.createElement("canvas");
  readonly #context = this.source.getContext("2d", { willReadFrequently: false });

  /** Paints `box` of a mask. `outline`: only pixels with a neighbour of another value. */
  paint(raster: Raster, box: Box, outline: boolean): void {
    const { rows, columns, pixels } = raster;
    if (this.source.width !== columns || this.source.height !== rows) {
      this.source.width = columns;
      this.source.height = rows;
    }
    const margin = outline ? 1 : 0;
    const top = Math.max(0, box.top - margin);
    const left = Math.max(0, box.left - margin);
    const bottom = Math.min(rows, box.bottom + margin);
    const right = Math.min(columns, box.right + margin);
    if (isEmpty({ top, left, bottom, right }) || this.#context == null) return;
    const data = this.#context.createImageData(right - left, bottom - top);
    const words = new Uint32Array(data.data.buffer);
    let to = 0;
    for (let row = top; row < bottom; row += 1) {
      for (let at = row * columns + left, column = left; column < right; column += 1, at += 1, to += 1) {
        const value = pixels[at] as number;
        if (value === UNLABELLED) continue;
        if (outline && !isEdge(pixels, at, row, column, rows, columns)) continue;
        words[to] = (((row + column) & 6) < 4 ? INKS.first[value] : INKS.second[value]) as number;
      }
    }
    this.#context.putImageData(data, left, top);
  }
}

function isEdge(
  pixels: Uint8Array,
  at: number,
  row: number,
  column: number,
  rows: number,
  columns: number,
): boolean {
  const value = pixels[at];
  return (
    (row > 0 && pixels[at - columns] !== value) ||
    (row < rows - 1 && pixels[at + columns] !== value) ||
    (column > 0 && pixels[at - 1] !== value) ||
    (column < columns - 1 && pixels[at + 1] !== value)
  );
}

/** The model's opinion: classes as thin ink with a rim, or doubt as a glow. */
export class ExpectedBitmap {
  readonly source = document.createElement("canvas");
  readonly #context = this.source.getContext("2d");

  paint({ rows, columns, classes, doubt }: Expected, asDoubt: boolean): void {
    this.source.width = columns;
    this.source.height = rows;
    if (this.#context == null) return;
    const data = this.#context.createImageData(columns, rows);
    const words = new Uint32Array(data.data.buffer);
    const glow = word("#ff3df0", 0);
    const inks = Array.from({ length: IGNORED }, (_, value) => word(accent(value).colour, 0));
    for (let row = 0, at = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1, at += 1) {
        const unsure = doubt[at] as number;
        if (asDoubt) {
          words[at] = (glow | ((unsure * 0.8) << 24)) >>> 0;
          continue;
        }
        const value = classes[at] as number;
        if (value === 0 || value >= IGNORED) continue;
        const rim = isEdge(classes, at, row, column, rows, columns);
        const alpha = rim ? 230 : Math.round(40 + (255 - unsure) * 0.25);
        words[at] = ((inks[value] as number) | (alpha << 24)) >>> 0;
      }
    }
    this.#context.putImageData(data, 0, 0);
  }
}
