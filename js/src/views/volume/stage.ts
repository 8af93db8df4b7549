// The section on the screen: its picture, masks over it, guides on top, and axes around. Each is a canvas of its own, so that a
// stroke repaints only what it has covered.

import { colourTable, paintValues } from "../../core/display/levels";
import type { Size } from "../../core/geometry";
import type { Box } from "../../core/mask/values";
import type { Expected } from "../../core/volume/expected";
import { clamp, pan, type View, whole, zoom } from "../../core/volume/view";
import { afterPaint, h, on, type Scope, setAttribute } from "../dom";
import { drawAxes } from "./axes";
import { drawEdge, drawSides } from "./marks";
import { ExpectedBitmap, MaskBitmap } from "./overlay";
import type { Looks, Place, VolumeState } from "./state";
import { sectionAt } from "./units";

/** CSS pixels a raw pixel from which on the picture has hard edges. */
const CRISP_FROM = 2;

export interface Stage {
  readonly element: HTMLElement;
  /** The topmost canvas: pointers end here. */
  readonly surface: HTMLCanvasElement;
  view(): View;
  /** Raw place under a point of the page. */
  place(client: { clientX: number; clientY: number }): Place;
  /** Pixels of the mask are different: repaints them at once. */
  touch(box: Box): void;
  zoomBy(x: number, y: number, about?: Place): void;
  panBy(dx: number, dy: number): void;
  fit(): void;
  /** Draws the guides again with the next frame. */
  guide(): void;
  /** What the tool in the hand draws on top. */
  onGuide: (context: CanvasRenderingContext2D, view: View) => void;
}

export function stageView(
  state: VolumeState,
  looks: Looks,
  scope: Scope,
  painted: (ms: number | null) => void,
): Stage {
  const { labeller, settings, studio } = state;
  const { info } = settings;
  const layer = (name: string): HTMLCanvasElement =>
    h("canvas", { class: `layer ${name}`, "aria-hidden": "true" });
  const axes = layer("axes");
  const below = layer("below");
  const over = layer("over");
  const surface = h("canvas", {
    class: "layer surface",
    "data-al": "canvas",
    role: "img",
    "aria-label": "no section",
  });
  const field = h("div.field", {}, below, over, surface);
  const element = h("div.vstage", { "data-deep": info.flavour === "radar" }, axes, field);
  const contexts = {
    axes: axes.getContext("2d"),
    below: below.getContext("2d"),
    over: over.getContext("2d"),
    top: surface.getContext("2d"),
  };
  const bitmap = document.createElement("canvas");
  const bitmapContext = bitmap.getContext("2d");
  const mask = new MaskBitmap();
  const expected = new ExpectedBitmap();
  const room: Size = { width: 0, height: 0 };
  const image: Size = { width: info.columns, height: info.rows };
  let view: View = { sx: 1, sy: 1, x: 0, y: 0 };
  let byHand = false;
  let guiding = false;
  let shownExpected: Expected | null = null;
  let shownDoubt = false;
  let working = false;

  /** Height over width of a raw pixel on the screen: true to scale where both axes are lengths. */
  function aspect(): number | null {
    const [, down, across] = info.axes;
    if (info.flavour === "radar" || down == null || across == null || across.step === 0) return null;
    return Math.abs(down.step / across.step) || 1;
  }

  function ratio(): number {
    return room.width === 0 ? 1 : surface.width / room.width;
  }

  // ---- layers ----

  function drawBelow(): void {
    const context = contexts.below;
    if (context == null || room.width === 0) return;
    const r = ratio();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, below.width, below.height);
    if (bitmap.width === 0 || studio.current.peek() == null) return;
    context.setTransform(r, 0, 0, r, 0, 0);
    context.imageSmoothingEnabled = Math.max(view.sx, view.sy) < CRISP_FROM;
    // A short line ends before the frame does: lines that are looked at in turn stay below each other.
    context.drawImage(bitmap, view.x, view.y, bitmap.width * view.sx, image.height * view.sy);
  }

  function drawOver(box: Box | null): void {
    const context = contexts.over;
    if (context == null || room.width === 0) return;
    const { opacity } = settings.overlay.peek();
    const r = ratio();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.save();
    if (box != null) {
      // Whole device pixels, and one more for what is smoothed.
      const left = Math.floor((view.x + box.left * view.sx) * r) - 1;
      const top = Math.floor((view.y + box.top * view.sy) * r) - 1;
      context.beginPath();
      context.rect(
        left,
        top,
        Math.ceil((view.x + box.right * view.sx) * r) + 1 - left,
        Math.ceil((view.y + box.bottom * view.sy) * r) + 1 - top,
      );
      context.clip();
    }
    context.clearRect(0, 0, over.width, over.height);
    context.setTransform(r, 0, 0, r, 0, 0);
    context.imageSmoothingEnabled = Math.min(view.sx, view.sy) < 1;
    const { rows, columns } = labeller.mask(labeller.index.peek());
    if (shownExpected != null && labeller.opinion.peek()) {
      context.globalAlpha = Math.min(1, opacity + 0.2);
      const real = labeller.sections.get(labeller.index.peek())?.columns ?? columns;
      const wide = Math.min(real, columns);
      context.drawImage(expected.source, 0, 0, wide, rows, view.x, view.y, wide * view.sx, rows * view.sy);
    }
    context.globalAlpha = opacity;
    context.drawImage(mask.source, view.x, view.y, columns * view.sx, rows * view.sy);
    context.restore();
  }

  function drawTop(): void {
    const context = contexts.top;
    if (context == null) return;
    const r = ratio();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, surface.width, surface.height);
    context.setTransform(r, 0, 0, r, 0, 0);
    const { x, y } = looks.cross.peek();
    context.lineWidth = 1;
    context.strokeStyle = "rgb(255 220 60 / 70%)";
    context.setLineDash([4, 4]);
    context.beginPath();
    context.moveTo(view.x + x * view.sx, 0);
    context.lineTo(view.x + x * view.sx, room.height);
    context.moveTo(0, view.y + y * view.sy);
    context.lineTo(room.width, view.y + y * view.sy);
    context.stroke();
    context.setLineDash([]);
    const region = labeller.asking.region.peek();
    const [section = -1, row = 0, column = 0, sections = 0, rows = 0, columns = 0] = region?.box ?? [];
    const index = labeller.index.peek();
    if (region != null && index >= section && index < section + sections) {
      context.lineWidth = 2;
      context.strokeStyle = "#ffdc3c";
      context.strokeRect(
        view.x + column * view.sx - 3,
        view.y + row * view.sy - 3,
        columns * view.sx + 6,
        rows * view.sy + 6,
      );
      for (const part of region?.parts ?? [])
        if (part.item_id === labeller.item) drawEdge(context, part, view);
    }
    const [left, top] = [Math.max(view.x, 0), Math.max(view.y, 0)];
    const right = Math.min(view.x + image.width * view.sx, room.width);
    const bottom = Math.min(view.y + image.height * view.sy, room.height);
    drawSides(context, { left, top, right, bottom }, info.axes[2], info.axes[1]);
    stage.onGuide(context, view);
  }

  function drawAround(): void {
    if (contexts.axes != null) drawAxes(contexts.axes, element, settings, view, room, ratio());
  }

  function drawAll(): void {
    drawBelow();
    drawOver(null);
    drawTop();
    drawAround();
    surface.dataset["alScale"] = String(view.sx);
    setAttribute(surface, "data-al-scale-y", view.sy);
    surface.dataset["alX"] = String(view.x);
    surface.dataset["alY"] = String(view.y);
  }

  function cover(box: Box): void {
    const { outline } = settings.overlay.peek();
    mask.paint(labeller.mask(labeller.index.peek()), box, outline);
    drawOver(outline ? grown(box) : box);
  }

  // ---- view ----

  function move(next: View): void {
    view = next;
    drawAll();
  }

  function refit(): void {
    byHand = false;
    if (room.width > 0) move(whole(image, room, aspect()));
  }

  const stage: Stage = {
    element,
    surface,
    view: () => view,
    place({ clientX, clientY }) {
      const box = surface.getBoundingClientRect();
      return { x: (clientX - box.left - view.x) / view.sx, y: (clientY - box.top - view.y) / view.sy };
    },
    touch(box) {
      cover(box);
      labeller.touched.set({ box, by: element });
    },
    zoomBy(x, y, about) {
      byHand = true;
      const middle = { x: room.width / 2, y: room.height / 2 };
      const where = about == null ? middle : { x: view.x + about.x * view.sx, y: view.y + about.y * view.sy };
      move(zoom(view, { x, y }, where, image, room));
    },
    panBy(dx, dy) {
      byHand = true;
      move(pan(view, dx, dy, image, room));
    },
    fit: refit,
    guide() {
      if (guiding) return;
      guiding = true;
      requestAnimationFrame(() => {
        guiding = false;
        drawTop();
      });
    },
    onGuide: () => undefined,
  };

  // ---- what makes it different ----

  let lookedAt: number | null = null;
  scope.effect(() => {
    labeller.index.get();
    lookedAt = performance.now();
  });
  scope.effect(() => {
    labeller.sections.arrived.get();
    settings.display.get();
    studio.show(labeller.index.get());
  });
  scope.effect(() => {
    if (studio.pending.get()) work();
  });
  function work(): void {
    if (working) return;
    working = true;
    requestAnimationFrame(() => {
      setTimeout(() => {
        working = false;
        if (scope.signal.aborted) return;
        // The hand comes first.
        if (!labeller.drawing) studio.step();
        if (studio.pending.peek()) work();
      });
    });
  }
  scope.effect(() => {
    const current = studio.current.get();
    const display = settings.display.get();
    if (current == null || bitmapContext == null) return;
    const { rows, columns, values } = current.grid;
    bitmap.width = columns;
    bitmap.height = rows;
    const data = bitmapContext.createImageData(columns, rows);
    paintValues(
      values,
      studio.range(display),
      colourTable(display.colours, display.turned),
      new Uint32Array(data.data.buffer),
    );
    bitmapContext.putImageData(data, 0, 0);
    if (room.width > 0) view = byHand ? clamp(view, image, room) : whole(image, room, aspect());
    drawAll();
    announce();
  });
  scope.effect(() => {
    labeller.record.masks.get();
    const index = labeller.index.get();
    const raster = labeller.mask(index);
    const { outline } = settings.overlay.get();
    mask.paint(raster, { top: 0, left: 0, bottom: raster.rows, right: raster.columns }, outline);
    drawOver(null);
  });
  scope.effect(() => {
    const touched = labeller.touched.get();
    if (touched != null && touched.by !== element) cover(touched.box);
  });
  scope.effect(() => {
    labeller.predictions.get();
    const { doubt } = settings.overlay.get();
    const known = labeller.expected(labeller.index.get());
    labeller.opinion.get();
    // Most news are of sections behind this one.
    if (known != null && (known !== shownExpected || doubt !== shownDoubt)) expected.paint(known, doubt);
    [shownExpected, shownDoubt] = [known, doubt];
    drawOver(null);
  });
  scope.effect(() => {
    looks.cross.get();
    labeller.asking.region.get();
    labeller.index.get();
    stage.guide();
  });
  scope.effect(() => {
    looks.theme.get();
    drawAround();
  });
  scope.effect(() => {
    const index = labeller.index.get();
    const seen = labeller.drawnIndex.get() === index;
    setAttribute(
      surface,
      "aria-label",
      `${labeller.nameOf(index)}, ${sectionAt(settings, index)}${seen ? "" : ", loading"}`,
    );
  });

  function announce(): void {
    const index = labeller.index.peek();
    if (room.width === 0 || studio.current.peek()?.index !== index || labeller.drawnIndex.peek() === index)
      return;
    labeller.drawn(index);
    const since = lookedAt;
    lookedAt = null;
    afterPaint(() => painted(since == null ? null : performance.now() - since));
  }

  const resized = new ResizeObserver(() => {
    const { clientWidth, clientHeight } = field;
    const device = globalThis.devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * device), Math.round(clientHeight * device)];
    if (width === surface.width && height === surface.height && room.width === clientWidth) return;
    for (const each of [below, over, surface]) {
      each.width = width;
      each.height = height;
    }
    axes.width = Math.round(element.clientWidth * device);
    axes.height = Math.round(element.clientHeight * device);
    room.width = clientWidth;
    room.height = clientHeight;
    move(byHand ? clamp(view, image, room) : whole(image, room, aspect()));
    announce();
  });
  resized.observe(element);
  on(scope.signal, "abort", () => resized.disconnect());
  return stage;
}

function grown({ top, left, bottom, right }: Box): Box {
  return { top: top - 1, left: left - 1, bottom: bottom + 1, right: right + 1 };
}
