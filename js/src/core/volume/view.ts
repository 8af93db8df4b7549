// Where the section lies on its canvas: scales of x and y are independent, since a trace and a sample have nothing in common.

import type { Size } from "../geometry";

export interface View {
  /** CSS pixels a raw pixel. */
  sx: number;
  sy: number;
  /** Where raw pixel (0, 0) lies. */
  x: number;
  y: number;
}

const MOST = 64;

/** The whole section. `aspect` is height over width of a raw pixel; null: as large as there is room, each way for itself. */
export function whole(image: Size, room: Size, aspect: number | null): View {
  let sx = room.width / Math.max(image.width, 1);
  let sy = room.height / Math.max(image.height, 1);
  if (aspect != null) {
    sx = Math.min(sx, sy / aspect);
    sy = sx * aspect;
  }
  return clamp({ sx, sy, x: 0, y: 0 }, image, room);
}

/** Zooms each way by its factor about a point of the canvas; not smaller than half of the whole. */
export function zoom(
  view: View,
  factor: { x: number; y: number },
  at: { x: number; y: number },
  image: Size,
  room: Size,
): View {
  const along = (scale: number, by: number, extent: number, space: number): number =>
    Math.min(Math.max(scale * by, Math.min(scale, space / extent / 2)), Math.max(MOST, scale));
  const sx = along(view.sx, factor.x, image.width, room.width);
  const sy = along(view.sy, factor.y, image.height, room.height);
  return clamp(
    { sx, sy, x: at.x - ((at.x - view.x) * sx) / view.sx, y: at.y - ((at.y - view.y) * sy) / view.sy },
    image,
    room,
  );
}

export function pan(view: View, dx: number, dy: number, image: Size, room: Size): View {
  return clamp({ ...view, x: view.x + dx, y: view.y + dy }, image, room);
}

/** Keeps the section in sight: centred where it is smaller than the canvas, without gaps where it is larger. */
export function clamp(view: View, image: Size, room: Size): View {
  const along = (at: number, extent: number, space: number): number =>
    extent <= space ? (space - extent) / 2 : Math.min(0, Math.max(space - extent, at));
  return {
    ...view,
    x: along(view.x, image.width * view.sx, room.width),
    y: along(view.y, image.height * view.sy, room.height),
  };
}

/** Round numbers for an axis, about one every `spacing` CSS pixels. `perPixel`: units a CSS pixel. */
export function ticks(from: number, perPixel: number, length: number, spacing: number): number[] {
  if (!(Math.abs(perPixel) > 0) || length <= 0) return [];
  const rough = Math.abs(perPixel) * spacing;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? 10 * power;
  const to = from + perPixel * length;
  const [low, high] = [Math.min(from, to), Math.max(from, to)];
  const found: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1)
    found.push(i * step || 0);
  return found;
}

/** A number with the digits that a step of that size needs. */
export function shown(value: number, step: number): string {
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(Math.abs(step) || 1) - 1e-9)));
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text;
}
