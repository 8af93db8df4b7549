// What is drawn over pictures: letters at the edges (which side of the patient is there), and the edge of some pixels.

import { decodeRuns } from "../../core/mask/runs";
import type { Box } from "../../core/mask/values";
import type { View } from "../../core/volume/view";
import type { AxisInfo, Part } from "../../volume-wire";

const FROM_EDGE = 11;

/** Axes without sides are left out. `turned`: the downward axis runs upwards. */
export function drawSides(
  context: CanvasRenderingContext2D,
  { left, top, right, bottom }: Box,
  across: AxisInfo | undefined,
  down: AxisInfo | undefined,
  turned = false,
): void {
  const [low = "", high = ""] = down?.ends ?? [];
  const [first = "", last = ""] = across?.ends ?? [];
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  context.font = "bold 13px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = "rgb(0 0 0 / 70%)";
  context.fillStyle = "#ffdc3c";
  for (const [text, atX, atY] of [
    [first, left + FROM_EDGE, y],
    [last, right - FROM_EDGE, y],
    [turned ? high : low, x, top + FROM_EDGE],
    [turned ? low : high, x, bottom - FROM_EDGE],
  ] as const) {
    context.strokeText(text, atX, atY);
    context.fillText(text, atX, atY);
  }
  context.textAlign = "start";
  context.textBaseline = "alphabetic";
}

/** Draws the line around the pixels of a part, along their sides. */
export function drawEdge(context: CanvasRenderingContext2D, { box, runs }: Part, view: View): void {
  const [top = 0, left = 0, rows = 0, columns = 0] = box;
  const inside = new Set<number>();
  // A column of nothing at the right keeps rows apart.
  const wide = columns + 1;
  decodeRuns(runs, box, (row, from, to) => {
    for (let column = from; column < to; column += 1) inside.add((row - top) * wide + column - left);
  });
  context.beginPath();
  const line = (row: number, column: number, down: number, across: number): void => {
    const [x, y] = [view.x + (left + column) * view.sx, view.y + (top + row) * view.sy];
    context.moveTo(x, y);
    context.lineTo(x + across * view.sx, y + down * view.sy);
  };
  for (let row = 0; row <= rows; row += 1) {
    for (let column = 0; column <= columns; column += 1) {
      const at = row * wide + column;
      const here = inside.has(at);
      if (here !== inside.has(at - wide)) line(row, column, 0, 1);
      if (here !== inside.has(at - 1)) line(row, column, 1, 0);
    }
  }
  context.stroke();
}
