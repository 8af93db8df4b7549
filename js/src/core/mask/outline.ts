// Closed shapes: polygons and boxes. A pixel belongs to a shape when its centre lies in it.

import type { Span } from "./values";

/**
 * Fills a closed polygon, vertices [x, y, x, y, …] in raw fractional indices. Where a lasso crosses itself nothing is left out
 * (non-zero winding).
 */
export function fillPolygon(points: readonly number[], rows: number, columns: number, span: Span): void {
  const n = points.length >> 1;
  if (n < 3) return;
  let top = Infinity;
  let bottom = -Infinity;
  for (let i = 0; i < n; i += 1) {
    top = Math.min(top, points[2 * i + 1] ?? 0);
    bottom = Math.max(bottom, points[2 * i + 1] ?? 0);
  }
  const last = Math.min(rows - 1, Math.floor(bottom - 0.5));
  for (let row = Math.max(0, Math.ceil(top - 0.5)); row <= last; row += 1) {
    const y = row + 0.5;
    const crossings: { x: number; turn: number }[] = [];
    for (let i = 0; i < n; i += 1) {
      const j = (i + 1) % n;
      const [ax = 0, ay = 0, bx = 0, by = 0] = [
        points[2 * i],
        points[2 * i + 1],
        points[2 * j],
        points[2 * j + 1],
      ];
      if (ay > y === by > y) continue;
      crossings.push({ x: ax + ((bx - ax) * (y - ay)) / (by - ay), turn: by > ay ? 1 : -1 });
    }
    crossings.sort((a, b) => a.x - b.x);
    let winding = 0;
    let from = 0;
    for (const { x, turn } of crossings) {
      if (winding === 0) from = x;
      winding += turn;
      if (winding !== 0) continue;
      const left = Math.max(0, Math.ceil(from - 0.5));
      const right = Math.min(columns, Math.ceil(x - 0.5));
      if (right > left) span(row, left, right);
    }
  }
}

/** Whole pixels of the rectangle between two corners; at least the one that holds the first. */
export function fillBox(
  [x0 = 0, y0 = 0, x1 = 0, y1 = 0]: readonly number[],
  rows: number,
  columns: number,
  span: Span,
): void {
  const [left, right] = along(x0, x1, columns);
  const [top, bottom] = along(y0, y1, rows);
  for (let row = top; row < bottom; row += 1) if (right > left) span(row, left, right);
}

function along(a: number, b: number, n: number): [number, number] {
  const from = Math.floor(Math.min(a, b));
  const to = Math.max(Math.ceil(Math.max(a, b)), from + 1);
  return [Math.max(0, from), Math.min(n, to)];
}
