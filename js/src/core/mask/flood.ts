// Connected pixels (four neighbours): filling from a seed, and the holes that a class encloses.

import type { Raster, Span } from "./values";

/** Hands out the connected pixels around a seed that pass; each is asked at most once for its run. */
export function flood(
  row: number,
  column: number,
  rows: number,
  columns: number,
  passes: (at: number) => boolean,
  span: Span,
): void {
  const done = new Uint8Array(rows * columns);
  const open = (r: number, c: number): boolean => {
    const at = r * columns + c;
    return done[at] === 0 && passes(at);
  };
  const seeds = [row, column];
  while (seeds.length > 0) {
    const c = seeds.pop() ?? 0;
    const r = seeds.pop() ?? 0;
    if (!open(r, c)) continue;
    let left = c;
    while (left > 0 && open(r, left - 1)) left -= 1;
    let right = c + 1;
    while (right < columns && open(r, right)) right += 1;
    done.fill(1, r * columns + left, r * columns + right);
    span(r, left, right);
    for (const next of [r - 1, r + 1]) {
      if (next < 0 || next >= rows) continue;
      let inside = false;
      for (let k = left; k < right; k += 1) {
        const now = open(next, k);
        if (now && !inside) seeds.push(next, k);
        inside = now;
      }
    }
  }
}

/** Connected pixels whose value is within `tolerance` of the seed's. */
export function floodValues(
  values: ArrayLike<number>,
  row: number,
  column: number,
  rows: number,
  columns: number,
  tolerance: number,
  span: Span,
): void {
  const seed = values[row * columns + column] ?? Number.NaN;
  flood(row, column, rows, columns, (at) => Math.abs((values[at] ?? Number.NaN) - seed) <= tolerance, span);
}

/** Pixels that are not `value` and that cannot be reached from the border without crossing it. */
export function holes({ pixels, rows, columns }: Raster, value: number, span: Span): void {
  const outside = new Uint8Array(rows * columns);
  const passes = (at: number): boolean => pixels[at] !== value && outside[at] === 0;
  const mark: Span = (r, from, to) => void outside.fill(1, r * columns + from, r * columns + to);
  const enter = (r: number, c: number): void => {
    if (passes(r * columns + c)) flood(r, c, rows, columns, passes, mark);
  };
  for (let c = 0; c < columns; c += 1) for (const r of [0, rows - 1]) enter(r, c);
  for (let r = 0; r < rows; r += 1) for (const c of [0, columns - 1]) enter(r, c);
  for (let r = 0; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1) if (passes(r * columns + c)) span(r, c, c + 1);
  }
}
