// The picture: a canvas that draws one bitmap, with zoom, pan, and brightness and contrast.

import { pan, type View, whole, zoom } from "../core/geometry";
import { AUTO_LEVELS } from "../core/pixels";
import type { ScreenPicture } from "./decode";
import { afterPaint, button, h, on, type Scope, setAttribute, setText } from "./dom";
import type { QueryState } from "./state";

const STEP = 1.25;
const PAN_PX = 60;
/** CSS pixels an image pixel from which on pixels are drawn with hard edges. */
const CRISP_FROM = 2;

export interface PictureView {
  readonly element: HTMLElement;
  /** Shows the scale in per cent. */
  readonly readout: HTMLElement;
  zoom(factor: number): void;
  fit(): void;
  pan(dx: number, dy: number): void;
}

export function pictureView(
  state: QueryState,
  scope: Scope,
  painted: (item_id: string, ms: number | null) => void,
): PictureView {
  const { labeller, levels } = state;
  const canvas = h("canvas", {
    "data-al": "canvas",
    role: "img",
    "aria-label": "no picture",
    class: "canvas",
  });
  const hint = h("div.hint.wheel", { "aria-hidden": "true" }, "Click first, or hold Ctrl, to zoom");
  const element = h("div.stage", {}, canvas, hint);
  const readout = h("output.scale", { "aria-label": "zoom" });
  const context = canvas.getContext("2d");
  const room = { width: 0, height: 0 };
  let view: View = { scale: 1, x: 0, y: 0 };
  let touched = false;
  let drawnItem = "";
  let drawnPicture: ScreenPicture | null = null;

  const picture = (): ScreenPicture | null => labeller.shown.peek()?.picture ?? null;

  function draw(): void {
    if (context == null) return;
    const shown = picture();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (shown == null || room.width === 0) return;
    const ratio = canvas.width / room.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = view.scale < CRISP_FROM;
    context.imageSmoothingQuality = "high";
    const { width, height } = shown.size;
    context.drawImage(shown.source(levels.peek()), view.x, view.y, width * view.scale, height * view.scale);
    canvas.dataset["alScale"] = String(view.scale);
    canvas.dataset["alX"] = String(view.x);
    canvas.dataset["alY"] = String(view.y);
    setText(readout, `${Math.round(view.scale * 100)} %`);
  }

  function move(next: View, byHand: boolean): void {
    view = next;
    touched = byHand;
    const shown = picture();
    const least = shown == null ? view.scale : whole(shown.size, room).scale;
    canvas.toggleAttribute("data-zoomed", view.scale > least * 1.001);
    draw();
  }

  function refit(): void {
    const shown = picture();
    if (shown != null) move(whole(shown.size, room), false);
    else draw();
  }

  function zoomAt(factor: number, at: { x: number; y: number }): boolean {
    const shown = picture();
    if (shown == null) return false;
    const next = zoom(view, factor, at, shown.size, room);
    const changed = next.scale !== view.scale;
    if (changed) move(next, true);
    return changed;
  }

  function panBy(dx: number, dy: number): void {
    const shown = picture();
    if (shown != null) move(pan(view, dx, dy, shown.size, room), touched);
  }

  scope.effect(() => {
    const shown = labeller.shown.get();
    const next = shown?.picture ?? null;
    const item = shown?.entry.item_id ?? "";
    if (item === drawnItem && next === drawnPicture && next != null) return;
    drawnItem = item;
    drawnPicture = next;
    refit();
    setAttribute(
      canvas,
      "aria-label",
      shown == null ? "no picture" : next == null ? `${item}, loading` : item,
    );
    if (next != null && shown != null && room.width > 0) announce(item, shown.since);
  });

  function announce(item: string, since: number | null): void {
    labeller.drawn(item);
    afterPaint(() => painted(item, since == null ? null : performance.now() - since));
  }

  // Levels: typed samples are painted anew; pictures that the browser has decoded are filtered by it.
  let drawnLevels = levels.peek();
  scope.effect(() => {
    const wanted = levels.get();
    const raw = labeller.shown.get()?.picture?.raw ?? true;
    const { brightness, contrast } = wanted;
    const filter = raw || wanted === AUTO_LEVELS ? "" : `brightness(${1 + brightness}) contrast(${contrast})`;
    if (canvas.style.filter !== filter) canvas.style.filter = filter;
    if (wanted !== drawnLevels) draw();
    drawnLevels = wanted;
  });

  const resized = new ResizeObserver(() => {
    const { clientWidth, clientHeight } = element;
    const ratio = globalThis.devicePixelRatio || 1;
    const width = Math.round(clientWidth * ratio);
    const height = Math.round(clientHeight * ratio);
    if (width === canvas.width && height === canvas.height && room.width === clientWidth) return;
    const first = room.width === 0;
    canvas.width = width;
    canvas.height = height;
    room.width = clientWidth;
    room.height = clientHeight;
    if (touched) panBy(0, 0);
    else refit();
    const shown = labeller.shown.peek();
    if (first && shown != null && shown.picture != null) announce(shown.entry.item_id, shown.since);
  });
  resized.observe(element);
  on(scope.signal, "abort", () => resized.disconnect());

  gestures(canvas, hint, { zoomAt, panBy, refit });

  return {
    element,
    readout,
    zoom: (factor) => void zoomAt(factor, { x: room.width / 2, y: room.height / 2 }),
    fit: refit,
    pan: panBy,
  };
}

interface Moves {
  zoomAt(factor: number, at: { x: number; y: number }): boolean;
  panBy(dx: number, dy: number): void;
  refit(): void;
}

/**
 * Pointer and wheel. The wheel belongs to the page until the user has pressed on the picture, and again once the pointer
 * has left it; with Ctrl (which is also what a pinch on a track pad sends) it always zooms.
 */
function gestures(canvas: HTMLCanvasElement, hint: HTMLElement, { zoomAt, panBy, refit }: Moves): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let engaged = false;
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const place = (event: MouseEvent): { x: number; y: number } => ({ x: event.offsetX, y: event.offsetY });

  on(
    canvas,
    "wheel",
    (event) => {
      if (!engaged && !event.ctrlKey && !event.metaKey) {
        hint.toggleAttribute("data-on", true);
        clearTimeout(hiding);
        hiding = setTimeout(() => hint.removeAttribute("data-on"), 1_200);
        return;
      }
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
      const zoomed = zoomAt(
        Math.exp(-Math.max(-120, Math.min(120, event.deltaY * lines)) / 400),
        place(event),
      );
      if (zoomed || event.ctrlKey) event.preventDefault();
    },
    { passive: false },
  );
  on(canvas, "pointerdown", (event) => {
    if (event.button !== 0) return;
    engaged = true;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    canvas.setPointerCapture(event.pointerId);
  });
  on(canvas, "pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (before == null) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other != null) {
      const box = canvas.getBoundingClientRect();
      const middle = { x: (now.x + other.x) / 2 - box.left, y: (now.y + other.y) / 2 - box.top };
      const spread = (p: { x: number; y: number }): number => Math.hypot(p.x - other.x, p.y - other.y) || 1;
      zoomAt(spread(now) / spread(before), middle);
    } else {
      panBy(now.x - before.x, now.y - before.y);
    }
    pointers.set(event.pointerId, now);
  });
  for (const name of ["pointerup", "pointercancel"] as const) {
    on(canvas, name, (event) => pointers.delete(event.pointerId));
  }
  on(canvas, "pointerleave", () => {
    if (pointers.size === 0) engaged = false;
  });
  on(canvas, "dblclick", () => refit());
}

/** The small bar on the picture: zoom, and the sliders. */
export function pictureTools(
  state: QueryState,
  view: PictureView,
  scope: Scope,
): { element: HTMLElement; toggleLevels(): void } {
  const { levels, labeller } = state;
  const panel = h("div.levels", {
    role: "group",
    "aria-label": "Brightness and contrast",
    hidden: true,
  });
  const toggle = button("tool", "levels", "Brightness and contrast (W)", toggleLevels, "◐");
  setAttribute(toggle, "aria-expanded", "false");

  function toggleLevels(): void {
    panel.hidden = !panel.hidden;
    setAttribute(toggle, "aria-expanded", String(!panel.hidden));
  }

  const slider = (name: "brightness" | "contrast", min: number, max: number): HTMLLabelElement => {
    const input = h("input", {
      type: "range",
      min,
      max,
      step: 0.01,
      "data-al-level": name,
      "data-keeps-focus": true,
    });
    on(input, "input", () => {
      const value = Number(input.value);
      levels.set({ ...levels.peek(), [name]: name === "contrast" ? 2 ** value : value });
    });
    scope.effect(() => {
      const value = levels.get()[name];
      input.value = String(name === "contrast" ? Math.log2(value) : value);
    });
    return h("label.slider", {}, h("span", {}, name === "brightness" ? "Brightness" : "Contrast"), input);
  };
  const auto = button("plain", "auto-levels", "Back to how it came", () => levels.set(AUTO_LEVELS), "Auto");
  panel.append(slider("brightness", -1, 1), slider("contrast", -3, 3), auto);
  scope.effect(() => {
    const changed = levels.get() !== AUTO_LEVELS;
    auto.disabled = !changed;
    toggle.toggleAttribute("data-changed", changed);
  });

  const element = h(
    "div.picture-tools",
    {},
    panel,
    h(
      "div.tool-row",
      { role: "group", "aria-label": "Zoom" },
      toggle,
      button("tool", "zoom-out", "Zoom out (−)", () => view.zoom(1 / STEP), "−"),
      view.readout,
      button("tool", "zoom-in", "Zoom in (+)", () => view.zoom(STEP), "+"),
      button("tool", "fit", "Fit (F, double click)", () => view.fit(), "Fit"),
    ),
  );
  scope.effect(() => setAttribute(element, "hidden", labeller.shown.get() == null));
  return { element, toggleLevels };
}

export const ZOOM_STEP = STEP;
export const PAN_STEP_PX = PAN_PX;
