// Distance, two-way time and depth around the section.

import type { Size } from "../../core/geometry";
import type { Settings } from "../../core/volume/settings";
import { shown, ticks, type View } from "../../core/volume/view";
import { at, labelled, type Scaled, sides } from "./units";

/** Room for the axes around the picture, in CSS pixels; as in the style sheet. */
const MARGIN = { left: 58, top: 8 };

/** Draws all axes anew. `room` is the picture's, `r` device pixels a CSS pixel. */
export function drawAxes(
  context: CanvasRenderingContext2D,
  element: HTMLElement,
  settings: Settings,
  view: View,
  room: Size,
  r: number,
): void {
  if (room.width === 0) return;
  const { across, down, deep } = sides(settings);
  const { columns, rows } = settings.info;
  const style = getComputedStyle(element);
  context.setTransform(r, 0, 0, r, 0, 0);
  context.clearRect(0, 0, element.clientWidth, element.clientHeight);
  context.fillStyle = style.color;
  context.strokeStyle = style.color;
  context.font = `11px ${style.fontFamily}`;
  context.lineWidth = 1;
  const right = MARGIN.left + room.width;
  const bottom = MARGIN.top + room.height;

  /** Marks of one side, where the section is; `spacing` is how far they are apart at least. */
  const along = (
    side: Scaled,
    [start, perRaw, n, length]: readonly [number, number, number, number],
    spacing: number,
    put: (p: number, text: string) => void,
  ): void => {
    const perPixel = side.step / perRaw;
    const first = Math.max(0, start);
    const from = at(side, (first - start) / perRaw);
    const found = ticks(from, perPixel, Math.min(length, start + n * perRaw) - first, spacing);
    const step = Math.abs((found[1] ?? 1) - (found[0] ?? 0));
    for (const tick of found) put(first + (tick - from) / perPixel, shown(tick, step));
  };
  const sideways = [view.x, view.sx, columns, room.width] as const;
  const downwards = [view.y, view.sy, rows, room.height] as const;
  context.textAlign = "center";
  context.textBaseline = "top";
  along(across, sideways, 80, (p, text) => {
    context.fillRect(MARGIN.left + p, bottom, 1, 4);
    context.fillText(text, Math.min(MARGIN.left + p, right - 10), bottom + 6);
  });
  context.fillText(labelled(across), MARGIN.left + room.width / 2, bottom + 21);
  context.textBaseline = "middle";
  context.textAlign = "right";
  along(down, downwards, 44, (p, text) => {
    context.fillRect(MARGIN.left - 4, MARGIN.top + p, 4, 1);
    context.fillText(text, MARGIN.left - 7, Math.max(MARGIN.top + p, MARGIN.top + 5));
  });
  if (deep != null) {
    context.textAlign = "left";
    along(deep, downwards, 44, (p, text) => {
      context.fillRect(right, MARGIN.top + p, 4, 1);
      context.fillText(text, right + 7, Math.max(MARGIN.top + p, MARGIN.top + 5));
    });
  }
  const turned = (text: string, x: number): void => {
    context.save();
    context.translate(x, MARGIN.top + room.height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(text, 0, 0);
    context.restore();
  };
  turned(labelled(down), 9);
  if (deep != null) turned(labelled(deep), right + 46);
}
