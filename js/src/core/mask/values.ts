// What a pixel of a mask can be, besides a class.

/** Nobody has said anything of it. */
export const UNLABELLED = 255;
/** To be left out of training and of figures. */
export const IGNORED = 254;

/** A mask of one section at its own resolution, rows first. */
export interface Raster {
  readonly rows: number;
  readonly columns: number;
  readonly pixels: Uint8Array;
}

/** Pixels `from` to `to` (excluded) of a row. Shapes are handed out like this, always inside the raster. */
export type Span = (row: number, from: number, to: number) => void;

/** A rectangle of pixels; `bottom` and `right` are excluded. */
export interface Box {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

export const NOWHERE: Box = { top: Infinity, left: Infinity, bottom: -Infinity, right: -Infinity };

export function isEmpty(box: Box): boolean {
  return box.bottom <= box.top || box.right <= box.left;
}

export function around(a: Box, b: Box): Box {
  return {
    top: Math.min(a.top, b.top),
    left: Math.min(a.left, b.left),
    bottom: Math.max(a.bottom, b.bottom),
    right: Math.max(a.right, b.right),
  };
}
