// The two other planes through the cross-hair, and the trace below the pointer. Made of what the page has: no kernel is asked.

import { colourTable, paintValues } from "../../core/display/levels";
import { UNLABELLED } from "../../core/mask/values";
import { h, on, type Scope, setAttribute, setText } from "../dom";
import { accent } from "../palette";
import { cleared } from "./canvas";
import { drawSides } from "./marks";
import type { Looks, VolumeState } from "./state";
import { labelled, sectionAt, sides, value } from "./units";

/** How a plane is cut: along one row of all sections (a map), or along one column of them. */
type Cut = "map" | "across";

interface Frame {
  left: number;
  top: number;
  wide: number;
  high: number;
}

export function planesView(state: VolumeState, looks: Looks, scope: Scope): HTMLElement {
  const { sections, flavour } = state.settings.info;
  const deep = sections > 1 ? (["map", "across"] as const) : [];
  return h(
    "div.planes",
    { "data-body": flavour !== "radar" && sections > 1, "data-alone": sections === 1 },
    ...deep.map((cut) => planeView(state, looks, scope, cut)),
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
  // Radar: below the section as it is walked. Of a body the sections are laid on each other, the head up where that is known.
  const radar = info.flavour === "radar";
  const stacked = cut === "map" || !radar;
  const turned = stacked && info.axes[0]?.ends[1]?.startsWith("H") === true;
  const along = cut === "map" ? info.columns : info.rows;
  const width = stacked ? along : info.sections;
  const height = stacked ? info.sections : along;
  bitmap.width = width;
  bitmap.height = height;

  /** Where a raw place (section, place along the plane) lies in the bitmap. */
  const placed = (section: number, on: number): [number, number] =>
    stacked ? [on, turned ? height - section : section] : [section, on];

  /** Where the plane lies on its canvas: true to scale where all axes are lengths. */
  function frame(clientWidth = canvas.clientWidth, clientHeight = canvas.clientHeight): Frame {
    const step = (axis: number): number => info.axes[axis]?.step ?? 1;
    const tall = (height * step(0)) / (width * step(cut === "map" ? 2 : 1));
    if (radar) return { left: 0, top: 0, wide: clientWidth, high: clientHeight };
    const wide = Math.min(clientWidth, clientHeight / tall);
    const high = wide * tall;
    return { left: (clientWidth - wide) / 2, top: (clientHeight - high) / 2, wide, high };
  }

  function paint(): void {
    const size = context && cleared(canvas, context);
    if (context == null || size == null || bitmapContext == null) return;
    const { x, y } = looks.cross.peek();
    const [row, column] = [Math.floor(y), Math.floor(x)];
    const index = labeller.index.peek();
    const display = settings.display.peek();
    const values = new Float32Array(width * height).fill(Number.NaN);
    const marks = new Map<number, number>();
    for (let section = 0; section < info.sections; section += 1) {
      const slice = studio.values(section);
      const mask = labeller.isKnown(section) ? labeller.mask(section).pixels : null;
      if (slice == null && mask == null) continue;
      const real = slice == null ? 0 : cut === "map" ? slice.columns : column < slice.columns ? along : 0;
      const [first, step] = stacked
        ? [(turned ? height - 1 - section : section) * width, 1]
        : [section, width];
      for (let i = 0, to = first; i < along; i += 1, to += step) {
        const [r, c] = cut === "map" ? [row, i] : [i, column];
        if (slice != null && i < real) values[to] = slice.samples[r * slice.columns + c] ?? 0;
        const said = mask?.[r * info.columns + c] ?? UNLABELLED;
        if (said !== UNLABELLED && said !== 0) marks.set(to, said);
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

    const { left, top, wide, high } = frame(size.wide, size.high);
    context.imageSmoothingEnabled = !radar;
    context.drawImage(bitmap, left, top, wide, high);
    context.strokeStyle = "rgb(255 220 60 / 85%)";
    context.setLineDash([4, 4]);
    context.beginPath();
    const [u, v] = placed(index + 0.5, cut === "map" ? x : y);
    const [px, py] = [left + (u / width) * wide, top + (v / height) * high];
    context.moveTo(px, top);
    context.lineTo(px, top + high);
    context.moveTo(left, py);
    context.lineTo(left + wide, py);
    context.stroke();
    context.setLineDash([]);

    const region = labeller.asking.region.peek();
    if (region != null) {
      const [s = 0, r = 0, c = 0, depth = 0, tall = 0, broad = 0] = region.box;
      const [from, extent] = cut === "map" ? [c, broad] : [r, tall];
      const [u0, v0] = placed(s, from);
      const [u1, v1] = placed(s + depth, from + extent);
      const [ux, uy] = [wide / width, high / height];
      context.lineWidth = 2;
      context.strokeStyle = "#ffdc3c";
      context.strokeRect(
        left + u0 * ux - 2,
        top + Math.min(v0, v1) * uy - 2,
        (u1 - u0) * ux + 4,
        Math.abs(v1 - v0) * uy + 4,
      );
    }
    if (stacked)
      drawSides(
        context,
        { left, top, right: left + wide, bottom: top + high },
        info.axes[cut === "map" ? 2 : 1],
        info.axes[0],
        turned,
      );

    const { across, down, deep } = sides(settings);
    const [first, second] = [
      info.axes[0]?.name ?? "section",
      cut === "map" ? labelled(across) : labelled(down),
    ];
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
    labeller.record.masks.get();
    labeller.history.get();
    labeller.asking.region.get();
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
    const { left, top, wide, high } = frame();
    const u = Math.min(Math.max((event.offsetX - left) / wide, 0), 0.999999);
    const v = Math.min(Math.max((event.offsetY - top) / high, 0), 0.999999);
    const old = looks.cross.peek();
    const on = (stacked ? u : v) * along;
    looks.cross.set(cut === "map" ? { x: on, y: old.y } : { x: old.x, y: on });
    labeller.look(Math.floor((stacked ? (turned ? 1 - v : v) : u) * info.sections));
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
    const size = cleared(canvas, context);
    if (size == null) return;
    const { rows, columns, values } = grid;
    const place = looks.hover.peek() ?? looks.cross.peek();
    const column = Math.min(Math.max(Math.floor(place.x), 0), columns - 1);
    const { low, high } = studio.range(settings.display.peek());
    const { wide, high: tall } = size;
    const style = getComputedStyle(element);
    const x = (sample: number): number => {
      const share = (sample - low) / (high - low || 1);
      return Math.min(Math.max(share, 0), 1) * (wide - 8) + 4;
    };
    context.strokeStyle = style.color;
    context.globalAlpha = 0.25;
    context.beginPath();
    context.moveTo(x(0), 0);
    context.lineTo(x(0), tall);
    context.stroke();
    context.globalAlpha = 1;
    context.beginPath();
    for (let row = 0; row < rows; row += 1)
      context.lineTo(x(values[row * columns + column] ?? 0), ((row + 0.5) / rows) * tall);
    context.stroke();
    context.strokeStyle = "#c98a00";
    context.setLineDash([4, 4]);
    context.beginPath();
    const y = (Math.min(Math.max(place.y, 0), rows) / rows) * tall;
    context.moveTo(0, y);
    context.lineTo(wide, y);
    context.stroke();
    const text = `Trace at ${value(sides(settings).across, column + 0.5)}`;
    setText(caption, text);
    setAttribute(canvas, "aria-label", `${text}, ${sectionAt(settings, labeller.index.peek())}`);
  }

  const draw = soon(scope, paint);
  scope.effect(() => {
    looks.hover.get();
    looks.cross.get();
    looks.theme.get();
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
