// The echo of a point: two-way time over distance is a hyperbola. Two clicks, the apex and a point on a limb, give it all.

import type { Span } from "./values";

/** How indices become metres and nanoseconds. Time counts from time-zero, a row. */
export interface Ground {
  /** Metres a column, and of column 0. */
  dx: number;
  x: number;
  /** Nanoseconds a row. */
  dt: number;
  time_zero: number;
}

export interface Hyperbola {
  x0_m: number;
  t0_ns: number;
  velocity_m_per_ns: number;
  depth_m: number;
  /** Raw fractional indices of the apex, and columns to each side. */
  column: number;
  row: number;
  reach: number;
}

/** Speed of light in vacuum. Nothing travels faster in the ground. */
const LIGHT_M_PER_NS = 0.299792458;

/** Fits apex and limb (raw fractional indices, column and row); null where no ground makes such an echo. */
export function fitHyperbola(
  apex: { x: number; y: number },
  limb: { x: number; y: number },
  { dx, x, dt, time_zero }: Ground,
): Hyperbola | null {
  const t0 = (apex.y - time_zero) * dt;
  const t = (limb.y - time_zero) * dt;
  const away = Math.abs(limb.x - apex.x) * dx;
  if (!(t0 > 0 && t > t0 && away > 0)) return null;
  const velocity = (2 * away) / Math.sqrt(t * t - t0 * t0);
  if (velocity > LIGHT_M_PER_NS) return null;
  return {
    x0_m: x + (apex.x - 0.5) * dx,
    t0_ns: t0,
    velocity_m_per_ns: velocity,
    depth_m: (velocity * t0) / 2,
    column: apex.x,
    row: apex.y,
    reach: Math.abs(limb.x - apex.x),
  };
}

/** Row of the curve (raw, fractional) at a column. */
export function rowAt(
  { t0_ns, velocity_m_per_ns, column }: Hyperbola,
  at: number,
  { dx, dt, time_zero }: Ground,
): number {
  const away = (at - column) * dx;
  return time_zero + Math.hypot(t0_ns, (2 * away) / velocity_m_per_ns) / dt;
}

/** Vertices [x, y, …] of the curve over its reach. */
export function curve(hyperbola: Hyperbola, ground: Ground, steps = 48): number[] {
  const points: number[] = [];
  for (let i = 0; i <= steps; i += 1) {
    const x = hyperbola.column + hyperbola.reach * ((2 * i) / steps - 1);
    points.push(x, rowAt(hyperbola, x, ground));
  }
  return points;
}

/** Hands out a band of `thickness` rows about the curve. */
export function band(
  hyperbola: Hyperbola,
  ground: Ground,
  thickness: number,
  rows: number,
  columns: number,
  span: Span,
): void {
  const { column, reach } = hyperbola;
  const first = Math.max(0, Math.ceil(column - reach - 0.5));
  const last = Math.min(columns - 1, Math.floor(column + reach - 0.5));
  for (let c = first; c <= last; c += 1) {
    const y = rowAt(hyperbola, c + 0.5, ground);
    const top = Math.max(0, Math.ceil(y - thickness / 2 - 0.5));
    const bottom = Math.min(rows, Math.ceil(y + thickness / 2 - 0.5));
    for (let row = top; row < bottom; row += 1) span(row, c, c + 1);
  }
}
