// What is drawn over pictures: letters at the edges (which side of the patient is there), and the edge of some pixels.

import { decodeRuns } from "../../core/mask/runs";
import type { Box } from "../../core/mask/values";
import type { View } from "../../core/volume/view";
import type { AxisInfo, Part } from "../../volume-wire";

const FROM_EDGE = 11;
/** More than any section has columns: keeps the pixels of rows apart. */
const ROW = 2 ** 20;

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
  const inside = new Set<number>();
  decodeRuns(runs, box, (row, column) => void inside.add(row * ROW + column));
  context.beginPath();
  const side = (beyond: number, x: number, y: number, wide: number, high: number): void => {
    if (inside.has(beyond)) return;
    context.moveTo(x, y);
    context.lineTo(x + wide, y + high);
  };
  const { sx, sy } = view;
  for (const at of inside) {
    const [x, y] = [view.x + (at % ROW) * sx, view.y + Math.floor(at / ROW) * sy];
    side(at - ROW, x, y, sx, 0);
    side(at + ROW, x, y + sy, sx, 0);
    side(at - 1, x, y, 0, sy);
    side(at + 1, x + sx, y, 0, sy);
  }
  context.stroke();
}
