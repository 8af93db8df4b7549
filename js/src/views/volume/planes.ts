// The two other planes through the cross-hair, and the trace below the pointer. Made of what the page has: no kernel is asked.

import { colourTable, paintValues } from "../../core/display/levels";
import { UNLABELLED } from "../../core/mask/values";
import { h, on, type Scope, setAttribute, setText } from "../dom";
import { accent } from "../palette";
import type { Looks, VolumeState } from "./state";
import { labelled, sectionAt, sides, value } from "./units";

/** How a plane is cut: along one row of all sections (a map), or along one column of them. */
type Cut = "map" | "across";

export function planesView(state: VolumeState, looks: Looks, scope: Scope): HTMLElement {
  return h(
    "div.planes",
    {},
    planeView(state, looks, scope, "map"),
    planeView(state, looks, scope, "across"),
    traceView(state, looks, scope),
  );
}

/** Runs once with the next frame, however often it is asked. */
function soon(scope: Scope, draw: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() =>
      setTimeout(() => {
        waiting = false;
        if (!scope.signal.aborted) draw();
      }),
    );
  };
}

function planeView(state: VolumeState, looks: Looks, scope: Scope, cut: Cut): HTMLElement {
  const { labeller, settings, studio } = state;
  const { info } = settings;
  const canvas = h("canvas", { class: "plane-canvas", role: "img", "data-al-plane": cut });
  const caption = h("div.plane-caption");
  const element = h("div.plane", {}, caption, canvas);
  const context = canvas.getContext("2d");
  const bitmap = document.createElement("canvas");
  const bitmapContext = bitmap.getContext("2d");
  // The map: sections down, columns across. The other: rows down, sections across.
  const width = cut === "map" ? info.columns : info.sections;
  const height = cut === "map" ? info.sections : info.rows;
  bitmap.width = width;
  bitmap.height = height;

  function paint(): void {
    if (context == null || bitmapContext == null) return;
    const { x, y } = looks.cross.peek();
    const [row, column] = [Math.floor(y), Math.floor(x)];
    const index = labeller.index.peek();
    const display = settings.display.peek();
    const values = new Float32Array(width * height).fill(Number.NaN);
    const marks = new Map<number, number>();
    for (let section = 0; section < info.sections; section += 1) {
      const slice = studio.values(section);
      const mask = labeller.isKnown(section) ? labeller.mask(section).pixels : null;
      if (cut === "map") {
        for (let c = 0; c < width; c += 1) {
          if (slice != null && c < slice.columns)
            values[section * width + c] = slice.samples[row * slice.columns + c] ?? 0;
          const said = mask?.[row * info.columns + c] ?? UNLABELLED;
          if (said !== UNLABELLED && said !== 0) marks.set(section * width + c, said);
        }
      } else {
        for (let r = 0; r < height; r += 1) {
          if (slice != null && column < slice.columns)
            values[r * width + section] = slice.samples[r * slice.columns + column] ?? 0;
          const said = mask?.[r * info.columns + column] ?? UNLABELLED;
          if (said !== UNLABELLED && said !== 0) marks.set(r * width + section, said);
        }
      }
    }
    const data = bitmapContext.createImageData(width, height);
    const words = new Uint32Array(data.data.buffer);
    paintValues(values, studio.range(display), colourTable(display.colours, display.turned), words);
    for (let i = 0; i < words.length; i += 1) if (Number.isNaN(values[i])) words[i] = 0;
    for (const [at, said] of marks) {
      const rgb = Number.parseInt(accent(said).colour.slice(1), 16);
      words[at] = ((255 << 24) | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
    }
    bitmapContext.putImageData(data, 0, 0);

    const { clientWidth, clientHeight } = canvas;
    const ratio = globalThis.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(bitmap, 0, 0, clientWidth, clientHeight);
    context.strokeStyle = "rgb(255 220 60 / 85%)";
    context.setLineDash([4, 4]);
    context.beginPath();
    const px = ((cut === "map" ? x : index + 0.5) / width) * clientWidth;
    const py = ((cut === "map" ? index + 0.5 : y) / height) * clientHeight;
    context.moveTo(px, 0);
    context.lineTo(px, clientHeight);
    context.moveTo(0, py);
    context.lineTo(clientWidth, py);
    context.stroke();

    const region = labeller.region.peek();
    if (region != null) {
      const [s = 0, r = 0, c = 0, depth = 0, tall = 0, wide = 0] = region.box;
      const box = cut === "map" ? [c, s, wide, depth] : [s, r, depth, tall];
      const [left = 0, top = 0, w = 0, h = 0] = box;
      const [ux, uy] = [clientWidth / width, clientHeight / height];
      context.setLineDash([]);
      context.lineWidth = 2;
      context.strokeStyle = "#ffdc3c";
      context.strokeRect(left * ux - 2, top * uy - 2, w * ux + 4, h * uy + 4);
    }

    const { across, down, deep } = sides(settings);
    const [first, second] = [
      info.axes[0]?.name ?? "section",
      cut === "map" ? labelled(across) : labelled(down),
    ];
    const radar = info.flavour === "radar";
    const where =
      cut === "map"
        ? `${radar ? "Map at" : down.name} ${value(down, row + 0.5)}${deep == null ? "" : `, ${value(deep, row + 0.5)} deep`}`
        : `${radar ? "Across at" : across.name} ${value(across, column + 0.5)}`;
    setText(caption, where);
    caption.title = cut === "map" ? `${second} by ${first}` : `${first} by ${second}`;
    setAttribute(canvas, "aria-label", `${where}: ${caption.title}`);
  }

  const draw = soon(scope, paint);
  scope.effect(() => {
    looks.cross.get();
    labeller.index.get();
    labeller.masks.get();
    labeller.history.get();
    labeller.region.get();
    labeller.sections.arrived.get();
    studio.across.get();
    studio.current.get();
    settings.display.get();
    draw();
  });
  const resized = new ResizeObserver(draw);
  resized.observe(element);
  on(scope.signal, "abort", () => resized.disconnect());

  let held = false;
  const point = (event: PointerEvent): void => {
    const u = Math.min(Math.max(event.offsetX / canvas.clientWidth, 0), 0.999999);
    const v = Math.min(Math.max(event.offsetY / canvas.clientHeight, 0), 0.999999);
    const old = looks.cross.peek();
    looks.cross.set(cut === "map" ? { x: u * width, y: old.y } : { x: old.x, y: v * height });
    labeller.look(Math.floor((cut === "map" ? v : u) * info.sections));
  };
  on(canvas, "pointerdown", (event) => {
    if (event.button !== 0) return;
    held = true;
    canvas.setPointerCapture(event.pointerId);
    point(event);
  });
  on(canvas, "pointermove", (event) => {
    if (held) point(event);
  });
  const release = (): void => {
    held = false;
  };
  on(canvas, "pointerup", release);
  on(canvas, "pointercancel", release);
  return element;
}

/** One trace, time downwards: below the pointer, or else at the cross-hair. */
function traceView(state: VolumeState, looks: Looks, scope: Scope): HTMLElement {
  const { settings, studio, labeller } = state;
  const canvas = h("canvas", { class: "plane-canvas", role: "img", "data-al-plane": "trace" });
  const caption = h("div.plane-caption");
  const element = h("div.plane.trace", {}, caption, canvas);
  const context = canvas.getContext("2d");

  function paint(): void {
    const grid = studio.current.peek()?.grid;
    if (context == null || grid == null) return;
    const { rows, columns, values } = grid;
    const place = looks.hover.peek() ?? looks.cross.peek();
    const column = Math.min(Math.max(Math.floor(place.x), 0), columns - 1);
    const { low, high } = studio.range(settings.display.peek());
    const { clientWidth, clientHeight } = canvas;
    const ratio = globalThis.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(element);
    const x = (sample: number): number => {
      const share = (sample - low) / (high - low || 1);
      return Math.min(Math.max(share, 0), 1) * (clientWidth - 8) + 4;
    };
    context.strokeStyle = style.color;
    context.globalAlpha = 0.25;
    context.beginPath();
    context.moveTo(x(0), 0);
    context.lineTo(x(0), clientHeight);
    context.stroke();
    context.globalAlpha = 1;
    context.beginPath();
    for (let row = 0; row < rows; row += 1)
      context.lineTo(x(values[row * columns + column] ?? 0), ((row + 0.5) / rows) * clientHeight);
    context.stroke();
    context.strokeStyle = "#c98a00";
    context.setLineDash([4, 4]);
    context.beginPath();
    const y = (Math.min(Math.max(place.y, 0), rows) / rows) * clientHeight;
    context.moveTo(0, y);
    context.lineTo(clientWidth, y);
    context.stroke();
    const text = `Trace at ${value(sides(settings).across, column + 0.5)}`;
    setText(caption, text);
    setAttribute(canvas, "aria-label", `${text}, ${sectionAt(settings, labeller.index.peek())}`);
  }

  const draw = soon(scope, paint);
  scope.effect(() => {
    looks.hover.get();
    looks.cross.get();
    studio.current.get();
    settings.display.get();
    // Nothing is drawn beside a stroke: its frames belong to the hand.
    if (!labeller.drawing) draw();
  });
  const resized = new ResizeObserver(draw);
  resized.observe(element);
  on(scope.signal, "abort", () => resized.disconnect());
  return element;
}
