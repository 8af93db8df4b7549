// One stroke while it is drawn: what it covers, laid into the mask at once, and in the end the delta that is sent.

import type { Part } from "../../volume-wire";
import { encodeRuns } from "./runs";
import { around, type Box, isEmpty, NOWHERE, type Raster, type Span } from "./values";

export class Sketch {
  /** 1 where the stroke has been. */
  readonly #cover: Raster;
  #box: Box = NOWHERE;

  readonly #mask: Raster;
  readonly #value: number;
  readonly #spares: (pixel: number) => boolean;
  /** `spares` says which pixels (by what they are) the stroke leaves alone: those of locked classes. */
  constructor(mask: Raster, value: number, spares: (pixel: number) => boolean = () => false) {
    this.#mask = mask;
    this.#value = value;
    this.#spares = spares;
    this.#cover = { ...mask, pixels: new Uint8Array(mask.pixels.length) };
  }

  /** Adds pixels; gives the box that may look different now. */
  readonly add: Span = (row, from, to) => {
    const { pixels, columns } = this.#mask;
    const cover = this.#cover.pixels;
    for (let at = row * columns + from, end = row * columns + to; at < end; at += 1) {
      if (cover[at] === 1 || this.#spares(pixels[at] ?? 0)) continue;
      cover[at] = 1;
      pixels[at] = this.#value;
    }
    this.#fresh = around(this.#fresh, { top: row, left: from, bottom: row + 1, right: to });
  };
  #fresh: Box = NOWHERE;

  /** The box of all pixels since the last call. */
  take(): Box {
    const fresh = this.#fresh;
    this.#box = around(this.#box, fresh);
    this.#fresh = NOWHERE;
    return fresh;
  }

  /** What was drawn; null when that is nothing. */
  part(item_id: string): Part | null {
    this.take();
    const box = this.#tight();
    if (isEmpty(box)) return null;
    return {
      item_id,
      value: this.#value,
      box: [box.top, box.left, box.bottom - box.top, box.right - box.left],
      runs: encodeRuns(this.#cover, box, 1),
    };
  }

  /** The box without rows and columns in which all was spared. */
  #tight(): Box {
    let tight = NOWHERE;
    const { pixels, columns } = this.#cover;
    for (let row = this.#box.top; row < this.#box.bottom; row += 1) {
      const line = pixels.subarray(row * columns + this.#box.left, row * columns + this.#box.right);
      const first = line.indexOf(1);
      if (first < 0) continue;
      const left = this.#box.left + first;
      const right = this.#box.left + line.lastIndexOf(1) + 1;
      tight = around(tight, { top: row, left, bottom: row + 1, right });
    }
    return tight;
  }
}
