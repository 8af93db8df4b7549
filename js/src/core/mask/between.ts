// A class between two sections where it is labelled: the zero level of signed distances, mixed by how far each is.

import type { Raster, Span } from "./values";

const FAR = 1e12;

/**
 * Hands out the pixels that `value` would have at `share` of the way from `a` to `b` (0 … 1). A class that is missing on one
 * of them shrinks towards nothing.
 */
export function between(a: Raster, b: Raster, value: number, share: number, span: Span): void {
  const { rows, columns } = a;
  const first = signedDistance(a, value);
  const second = signedDistance(b, value);
  for (let row = 0; row < rows; row += 1) {
    let from = -1;
    for (let column = 0; column <= columns; column += 1) {
      const at = row * columns + column;
      const inside = column < columns && (1 - share) * (first[at] ?? 0) + share * (second[at] ?? 0) < 0;
      if (inside && from < 0) from = column;
      if (!inside && from >= 0) {
        span(row, from, column);
        from = -1;
      }
    }
  }
}

/** Distance to the class in pixels, negative inside it. Half a pixel off the edge, so that both sides are alike. */
export function signedDistance(raster: Raster, value: number): Float32Array {
  const outside = distance(raster, (pixel) => pixel === value);
  const inside = distance(raster, (pixel) => pixel !== value);
  const most = Math.hypot(raster.rows, raster.columns);
  const signed = new Float32Array(outside.length);
  for (let i = 0; i < signed.length; i += 1) {
    const [out = 0, into = 0] = [outside[i], inside[i]];
    signed[i] = out > 0 ? Math.min(Math.sqrt(out), most) - 0.5 : 0.5 - Math.min(Math.sqrt(into), most);
  }
  return signed;
}

/** Squared Euclidean distance to the nearest pixel that is `set` (Felzenszwalb and Huttenlocher 2012). */
function distance({ pixels, rows, columns }: Raster, set: (pixel: number) => boolean): Float64Array {
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < result.length; i += 1) result[i] = set(pixels[i] ?? 0) ? 0 : FAR;
  const pass = new Lowest(Math.max(rows, columns));
  for (let column = 0; column < columns; column += 1) pass.run(result, column, columns, rows);
  for (let row = 0; row < rows; row += 1) pass.run(result, row * columns, 1, columns);
  return result;
}

/** The lower envelope of parabolas along one line of an array, in place. */
class Lowest {
  readonly #value: Float64Array;
  readonly #at: Int32Array;
  readonly #start: Float64Array;
  constructor(most: number) {
    this.#value = new Float64Array(most);
    this.#at = new Int32Array(most);
    this.#start = new Float64Array(most + 1);
  }

  run(values: Float64Array, offset: number, step: number, n: number): void {
    const f = this.#value;
    const v = this.#at;
    const z = this.#start;
    for (let i = 0; i < n; i += 1) f[i] = values[offset + i * step] ?? 0;
    let k = 0;
    v[0] = 0;
    z[0] = -Infinity;
    z[1] = Infinity;
    const meet = (q: number, p: number): number =>
      ((f[q] ?? 0) + q * q - (f[p] ?? 0) - p * p) / (2 * q - 2 * p);
    for (let q = 1; q < n; q += 1) {
      let s = meet(q, v[k] ?? 0);
      while (k > 0 && s <= (z[k] ?? 0)) {
        k -= 1;
        s = meet(q, v[k] ?? 0);
      }
      k += 1;
      v[k] = q;
      z[k] = s;
      z[k + 1] = Infinity;
    }
    k = 0;
    for (let q = 0; q < n; q += 1) {
      while ((z[k + 1] ?? 0) < q) k += 1;
      const p = v[k] ?? 0;
      values[offset + q * step] = (q - p) * (q - p) + (f[p] ?? 0);
    }
  }
}
