// Drafts from other sections, as parts of one stroke: only pixels that nobody has said anything of are filled.

import type { Part } from "../../volume-wire";
import { between } from "./between";
import { blank } from "./book";
import { Sketch } from "./sketch";
import { IGNORED, type Raster, UNLABELLED } from "./values";

/** Classes that a mask has, in order. */
export function classesOf({ pixels }: Raster): number[] {
  const seen = new Uint8Array(256);
  for (const pixel of pixels) seen[pixel] = 1;
  return [...seen.keys()].filter((value) => seen[value] === 1 && value !== UNLABELLED && value !== IGNORED);
}

/** What `from` has, laid into the free pixels of `into`. */
export function copyInto(into: Raster, from: Raster, item_id: string): Part[] {
  const { rows, columns } = from;
  return fill(into, item_id, classesOf(from), (value, sketch) => {
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1)
        if (from.pixels[row * columns + column] === value) sketch.add(row, column, column + 1);
    }
  });
}

/** What lies between two labelled sections at `share` of the way, in the free pixels of `into`. Class 0 is left to the end. */
export function interpolateInto(into: Raster, a: Raster, b: Raster, share: number, item_id: string): Part[] {
  const classes = [...new Set([...classesOf(a), ...classesOf(b)])].filter((value) => value !== 0);
  return fill(into, item_id, classes, (value, sketch) => between(a, b, value, share, sketch.add));
}

function fill(
  into: Raster,
  item_id: string,
  classes: readonly number[],
  draw: (value: number, sketch: Sketch) => void,
): Part[] {
  // Drawn on a copy: the parts are laid into the mask when the stroke is added.
  const copy = { ...blank(into.rows, into.columns) };
  copy.pixels.set(into.pixels);
  return classes.flatMap((value) => {
    const sketch = new Sketch(copy, value, (pixel) => pixel !== UNLABELLED);
    draw(value, sketch);
    return sketch.part(item_id) ?? [];
  });
}
