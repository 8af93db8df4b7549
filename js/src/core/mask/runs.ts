// COCO's run-length text: runs down the columns of a box, zeros first, in base 32 with differences, printable ASCII.

import type { Box, Raster, Span } from "./values";

/** Writes which pixels of `box` are `value` in `raster`. */
export function encodeRuns(raster: Raster, box: Box, value: number): string {
  const { pixels, columns } = raster;
  const runs: number[] = [];
  let set = false;
  let length = 0;
  for (let column = box.left; column < box.right; column += 1) {
    for (let at = box.top * columns + column, row = box.top; row < box.bottom; row += 1, at += columns) {
      if ((pixels[at] === value) === set) {
        length += 1;
      } else {
        runs.push(length);
        set = !set;
        length = 1;
      }
    }
  }
  runs.push(length);
  return toText(runs);
}

/** Hands out the pixels that are set; columns come one pixel high spans. Throws where the text does not fill the box. */
export function decodeRuns(
  text: string,
  [top = 0, left = 0, rows = 0, columns = 0]: readonly number[],
  span: Span,
): void {
  const runs = fromText(text);
  let at = 0;
  for (const [i, run] of runs.entries()) {
    if (run < 0) throw new Error(`run ${i} is ${run} pixels long`);
    if (i % 2 === 1) {
      const end = Math.min(at + run, rows * columns);
      for (let pixel = at; pixel < end; pixel += 1) {
        const column = left + Math.floor(pixel / rows);
        span(top + (pixel % rows), column, column + 1);
      }
    }
    at += run;
  }
  if (at !== rows * columns) throw new Error(`runs fill ${at} pixels, the box has ${rows * columns}`);
}

function toText(runs: readonly number[]): string {
  let text = "";
  for (const [i, run] of runs.entries()) {
    let rest = i > 2 ? run - (runs[i - 2] ?? 0) : run;
    for (;;) {
      const digit = rest & 31;
      rest >>= 5;
      const more = rest !== (digit & 16 ? -1 : 0);
      text += String.fromCharCode((more ? digit | 32 : digit) + 48);
      if (!more) break;
    }
  }
  return text;
}

function fromText(text: string): number[] {
  const runs: number[] = [];
  let value = 0;
  let shift = 0;
  for (const letter of text) {
    const digit = letter.charCodeAt(0) - 48;
    if (digit < 0 || digit > 63 || shift > 25)
      throw new Error(`runs hold ${JSON.stringify(letter)} at ${runs.length}`);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    if (digit & 16 && shift < 32) value |= -1 << shift;
    runs.push(runs.length > 2 ? value + (runs[runs.length - 2] ?? 0) : value);
    value = 0;
    shift = 0;
  }
  if (shift > 0) throw new Error("runs end within a number");
  return runs;
}
