// What a round brush covers between two places. Round on the screen: in raw pixels, which need not be square, an ellipse.

import type { Span } from "./values";

/** A place of the brush: raw fractional indices (pixel (c, r) reaches from c to c + 1), and radius in CSS pixels. */
export interface Dab {
  x: number;
  y: number;
  radius: number;
}

/** CSS pixels a raw pixel, along rows and down columns. */
export interface Scale {
  x: number;
  y: number;
}

interface Point {
  x: number;
  y: number;
}

/**
 * Hands out every pixel whose centre lies in the brush anywhere on its way from `a` to `b`: two discs and what lies between
 * their outer tangents. That is convex, so each row is one span.
 */
export function sweep(
  a: Dab,
  b: Dab,
  { x: sx, y: sy }: Scale,
  rows: number,
  columns: number,
  span: Span,
): void {
  const from = { x: a.x * sx, y: a.y * sy, r: a.radius };
  const to = { x: b.x * sx, y: b.y * sy, r: b.radius };
  const edges = tangents(from, to);
  const top = Math.min(from.y - from.r, to.y - to.r);
  const bottom = Math.max(from.y + from.r, to.y + to.r);
  const first = Math.max(0, Math.ceil(top / sy - 0.5));
  const last = Math.min(rows - 1, Math.floor(bottom / sy - 0.5));
  for (let row = first; row <= last; row += 1) {
    const y = (row + 0.5) * sy;
    let low = Infinity;
    let high = -Infinity;
    for (const disc of [from, to]) {
      const half = disc.r * disc.r - (y - disc.y) * (y - disc.y);
      if (half < 0) continue;
      low = Math.min(low, disc.x - Math.sqrt(half));
      high = Math.max(high, disc.x + Math.sqrt(half));
    }
    for (const [p, q] of edges) {
      if (p.y > y === q.y > y) continue;
      const x = p.x + ((q.x - p.x) * (y - p.y)) / (q.y - p.y);
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    const left = Math.max(0, Math.ceil(low / sx - 0.5));
    const right = Math.min(columns, Math.floor(high / sx - 0.5) + 1);
    if (right > left) span(row, left, right);
  }
}

/** The two outer tangents of two discs, none where one lies in the other. */
function tangents(a: Point & { r: number }, b: Point & { r: number }): [Point, Point][] {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const d = Math.hypot(dx, dy);
  if (d <= Math.abs(a.r - b.r)) return [];
  const cos = (a.r - b.r) / d;
  const sin = Math.sqrt(1 - cos * cos);
  return [1, -1].map((side) => {
    const nx = (dx * cos - side * dy * sin) / d;
    const ny = (dy * cos + side * dx * sin) / d;
    return [
      { x: a.x + a.r * nx, y: a.y + a.r * ny },
      { x: b.x + b.r * nx, y: b.y + b.r * ny },
    ];
  });
}
