// Letters at the edges of a plane: which side of the patient is there.

import type { Box } from "../../core/mask/values";
import type { AxisInfo } from "../../volume-wire";

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
