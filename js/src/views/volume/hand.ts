// What the hand does on the section. Strokes are laid down in the event that brings them, with every place the pen has been.

import { type Dab, sweep } from "../../core/mask/brush";
import { floodValues, holes } from "../../core/mask/flood";
import { band, curve, fitHyperbola, type Hyperbola } from "../../core/mask/hyperbola";
import { fillBox, fillPolygon } from "../../core/mask/outline";
import { Sketch } from "../../core/mask/sketch";
import { IGNORED, type Span, UNLABELLED } from "../../core/mask/values";
import type { View } from "../../core/volume/view";
import type { Shape, StrokeValue } from "../../volume-wire";
import { afterPaint, on } from "../dom";
import { accent } from "../palette";
import { type Drafts, draftsOf } from "./drafts";
import type { Stage } from "./stage";
import type { Looks, Place, VolumeState } from "./state";
import { groundOf } from "./units";
import { wheelView } from "./wheel";

type Tool = StrokeValue["tool"];

export interface Hand extends Drafts {
  readonly hint: HTMLElement;
  /** Closes a polygon that is being drawn; false when there is none. */
  close(): boolean;
  /** Gives up what is being drawn; false when nothing is. */
  cancel(): boolean;
  fillHoles(): void;
  resize(factor: number): void;
}

/** The action between a press and its end. */
type Action =
  | { kind: "brush"; sketch: Sketch; index: number; last: Dab; points: number[] }
  | { kind: "lasso"; points: number[] }
  | { kind: "box"; from: Place; to: Place }
  | { kind: "pan"; clientX: number; clientY: number }
  | { kind: "cross" };

const SMALLEST = 1;
const LARGEST = 200;
/** How close to its first vertex a polygon is closed, in CSS pixels. */
const CLOSE_PX = 9;
/** Share of the radius that a pen without pressure has. */
const LIGHT = 0.3;
/** Vertices of a stroke that are told beside its pixels; more only cost bytes. */
const MOST_POINTS = 64;

export function handView(
  state: VolumeState,
  looks: Looks,
  stage: Stage,
  signal: AbortSignal,
  painted: (ms: number) => void,
): Hand {
  const { labeller, settings, studio } = state;
  const { surface } = stage;
  const hint = wheelView(labeller, stage, () => engaged, resize, signal);
  const pointers = new Map<number, { clientX: number; clientY: number }>();
  let action: Action | null = null;
  let polygon: number[] = [];
  let apex: Place | null = null;
  let pointer: Place | null = null;
  let engaged = false;
  let painting: number | null = null;

  // ---- strokes ----

  function spares(): (pixel: number) => boolean {
    const locked = settings.locked.peek();
    return (pixel) => locked.has(pixel);
  }

  /** Columns of the section on the screen: a short line has fewer than the mask. */
  function extent(): { rows: number; columns: number } {
    const raster = labeller.mask(labeller.index.peek());
    return labeller.sections.get(labeller.index.peek()) ?? raster;
  }

  function canDraw(): boolean {
    return labeller.drawnIndex.peek() === labeller.index.peek();
  }

  /** Draws pixels and records them as one stroke. */
  function stroke(tool: Tool, value: number, shape: Shape | null, draw: (span: Span) => void): void {
    if (!canDraw()) return;
    const index = labeller.index.peek();
    const sketch = new Sketch(labeller.mask(index), value, spares());
    draw(sketch.add);
    stage.touch(sketch.take());
    const item = labeller.idOf(index);
    const part = sketch.part(item);
    if (part == null) labeller.announcement.set("Nothing to draw there");
    else labeller.stroke(tool, [part], shape, new Set([item]));
  }

  function value(): number {
    const hand = settings.hand.peek();
    if (hand.tool === "eraser") return UNLABELLED;
    return hand.value === IGNORED
      ? IGNORED
      : Math.min(hand.value, Math.max(0, labeller.classes.peek().length - 1));
  }

  /** Numbers of a shape with as many digits as a screen can tell. */
  function rounded(points: readonly number[]): number[] {
    const n = points.length >> 1;
    const every = Math.ceil(n / MOST_POINTS);
    return points
      .filter((_, i) => (i >> 1) % every === 0 || i >> 1 === n - 1)
      .map((p) => Math.round(p * 100) / 100);
  }

  function dab(event: PointerEvent): Dab {
    const { radius } = settings.hand.peek();
    const pressed = event.pointerType === "pen" ? LIGHT + (1 - LIGHT) * event.pressure : 1;
    return { ...stage.place(event), radius: radius * pressed };
  }

  function brush(event: PointerEvent, current: Action & { kind: "brush" }): void {
    const { sx, sy } = stage.view();
    const { rows, columns } = extent();
    const places = event.getCoalescedEvents?.() ?? [];
    for (const place of places.length > 0 ? places : [event]) {
      const next = dab(place);
      sweep(current.last, next, { x: sx, y: sy }, rows, columns, current.sketch.add);
      current.last = next;
      current.points.push(next.x, next.y);
    }
    stage.touch(current.sketch.take());
    show(event.timeStamp);
  }

  /** Tells how long it took from the pointer's event to the screen; one measurement a frame, of its oldest event. */
  function show(at: number): void {
    if (painting != null) return;
    painting = at;
    afterPaint(() => {
      if (painting != null) painted(performance.now() - painting);
      painting = null;
    });
  }

  function endBrush({ sketch, index, points }: Action & { kind: "brush" }): void {
    labeller.drawing = false;
    const item = labeller.idOf(index);
    const part = sketch.part(item);
    if (part == null) return;
    const { tool, radius } = settings.hand.peek();
    labeller.stroke(
      tool === "eraser" ? "eraser" : "brush",
      [part],
      { points: rounded(points), radius },
      new Set([item]),
    );
  }

  function fill({ x, y }: Place): void {
    const current = studio.current.peek();
    const [row, column] = [Math.floor(y), Math.floor(x)];
    if (current == null || !inside({ x, y })) return;
    const { low, high } = studio.range(settings.display.peek());
    const tolerance = settings.hand.peek().tolerance * (high - low);
    const { rows, columns, values } = current.grid;
    stroke("fill", value(), { points: rounded([x, y]) }, (span) =>
      floodValues(values, row, column, rows, columns, tolerance, span),
    );
  }

  function inside({ x, y }: Place): boolean {
    const { rows, columns } = extent();
    return x >= 0 && y >= 0 && x < columns && y < rows;
  }

  function closePolygon(): boolean {
    const points = polygon;
    polygon = [];
    stage.guide();
    if (points.length === 0) return false;
    const { rows, columns } = extent();
    if (points.length >= 6)
      stroke("polygon", value(), { points: rounded(points) }, (span) =>
        fillPolygon(points, rows, columns, span),
      );
    return true;
  }

  function hyperbolaTo(limb: Place): Hyperbola | null {
    return apex == null ? null : fitHyperbola(apex, limb, groundOf(settings));
  }

  function endHyperbola(limb: Place): void {
    const found = hyperbolaTo(limb);
    if (found == null) {
      labeller.announcement.set(
        "No ground makes such an echo: the limb lies below the apex, and not too far beside it",
      );
      return;
    }
    const top = apex;
    apex = null;
    const { x0_m, t0_ns, velocity_m_per_ns, depth_m } = found;
    const points = rounded([top?.x ?? 0, top?.y ?? 0, limb.x, limb.y]);
    const { rows, columns } = extent();
    stroke("hyperbola", value(), { points, x0_m, t0_ns, velocity_m_per_ns, depth_m }, (span) =>
      band(found, groundOf(settings), settings.hand.peek().thickness, rows, columns, span),
    );
    labeller.announcement.set(reading(found));
    settings.show({ velocity_m_per_ns: Number(velocity_m_per_ns.toPrecision(3)) });
  }

  // ---- pointer ----

  on(surface, "pointerdown", (event) => {
    engaged = true;
    pointers.set(event.pointerId, event);
    surface.setPointerCapture(event.pointerId);
    if (pointers.size > 1) {
      // A second finger: it is a pinch and was never a stroke.
      cancel();
      return;
    }
    const { tool } = settings.hand.peek();
    const place = stage.place(event);
    if (event.button === 1 || (event.button === 0 && tool === "pan")) {
      event.preventDefault();
      action = { kind: "pan", clientX: event.clientX, clientY: event.clientY };
    } else if (event.button !== 0) {
      return;
    } else if (event.altKey || tool === "cross") {
      action = { kind: "cross" };
      cross(place);
    } else if (tool === "brush" || tool === "eraser") {
      if (!canDraw()) return;
      const index = labeller.index.peek();
      labeller.drawing = true;
      const first = dab(event);
      const started: Action & { kind: "brush" } = {
        kind: "brush",
        sketch: new Sketch(labeller.mask(index), value(), spares()),
        index,
        last: first,
        points: [],
      };
      action = started;
      brush(event, started);
    } else if (tool === "lasso") {
      action = { kind: "lasso", points: [place.x, place.y] };
    } else if (tool === "box") {
      action = { kind: "box", from: place, to: place };
    } else if (tool === "fill") {
      fill(place);
      show(event.timeStamp);
    } else if (tool === "point") {
      const { rows, columns } = extent();
      stroke("point", value(), { points: rounded([place.x, place.y]) }, (span) =>
        fillBox([place.x, place.y, place.x, place.y], rows, columns, span),
      );
      show(event.timeStamp);
    } else if (tool === "hyperbola") {
      if (apex == null) apex = place;
      else endHyperbola(place);
    } else if (tool === "polygon") {
      const { sx, sy } = stage.view();
      const [x = 0, y = 0] = polygon;
      const near = polygon.length >= 6 && Math.hypot((place.x - x) * sx, (place.y - y) * sy) < CLOSE_PX;
      if (near || event.detail > 1) closePolygon();
      else polygon.push(place.x, place.y);
    }
    stage.guide();
  });

  // The pen as it moves, ahead of the frame that `pointermove` waits for: then all that the frame has to do is to show it.
  const raw = "onpointerrawupdate" in surface;
  if (raw)
    surface.addEventListener(
      "pointerrawupdate",
      (event) => {
        if (action?.kind === "brush" && pointers.size === 1) brush(event as PointerEvent, action);
      },
      { signal },
    );

  on(surface, "pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    pointer = stage.place(event);
    if (before != null) pointers.set(event.pointerId, event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (before != null && other != null) {
      pinch(before, event, other);
    } else if (action?.kind === "brush") {
      if (!raw) brush(event, action);
    } else if (action?.kind === "lasso") {
      action.points.push(pointer.x, pointer.y);
    } else if (action?.kind === "box") {
      action.to = pointer;
    } else if (action?.kind === "pan") {
      stage.panBy(event.clientX - action.clientX, event.clientY - action.clientY);
      action = { kind: "pan", clientX: event.clientX, clientY: event.clientY };
    } else if (action?.kind === "cross") {
      cross(pointer);
    }
    // While the hand draws, its frames are not spent on what is read out.
    if (action?.kind !== "brush") looks.hover.set(pointer);
    stage.guide();
  });

  function pinch(
    before: { clientX: number; clientY: number },
    now: { clientX: number; clientY: number },
    other: { clientX: number; clientY: number },
  ): void {
    const spread = (p: { clientX: number; clientY: number }): number =>
      Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY) || 1;
    const by = spread(now) / spread(before);
    stage.zoomBy(
      by,
      by,
      stage.place({ clientX: (now.clientX + other.clientX) / 2, clientY: (now.clientY + other.clientY) / 2 }),
    );
    stage.panBy((now.clientX - before.clientX) / 2, (now.clientY - before.clientY) / 2);
  }

  function end(event: PointerEvent): void {
    pointers.delete(event.pointerId);
    const ended = action;
    action = null;
    const { rows, columns } = extent();
    if (ended?.kind === "brush") {
      if (event.type === "pointercancel") labeller.giveUp();
      else endBrush(ended);
      looks.hover.set(pointer);
    } else if (ended?.kind === "lasso" && event.type === "pointerup") {
      const { points } = ended;
      if (points.length >= 6) {
        stroke("lasso", value(), { points: rounded(points) }, (span) =>
          fillPolygon(points, rows, columns, span),
        );
        show(event.timeStamp);
      }
    } else if (ended?.kind === "box" && event.type === "pointerup") {
      const { from, to } = ended;
      const corners = [from.x, from.y, to.x, to.y];
      stroke("box", value(), { points: rounded(corners) }, (span) => fillBox(corners, rows, columns, span));
      show(event.timeStamp);
    }
    stage.guide();
  }
  on(surface, "pointerup", end);
  on(surface, "pointercancel", end);
  on(surface, "pointerleave", () => {
    if (pointers.size > 0) return;
    engaged = false;
    pointer = null;
    looks.hover.set(null);
    stage.guide();
  });
  on(surface, "dblclick", () => {
    if (settings.hand.peek().tool === "polygon") closePolygon();
    else if (settings.hand.peek().tool === "pan") stage.fit();
  });
  on(surface, "contextmenu", (event) => event.preventDefault());

  function cross(place: Place): void {
    const { rows, columns } = extent();
    looks.cross.set({
      x: Math.min(Math.max(place.x, 0), columns - 1e-6),
      y: Math.min(Math.max(place.y, 0), rows - 1e-6),
    });
  }

  function resize(factor: number): void {
    const { radius } = settings.hand.peek();
    settings.take({ radius: Math.min(LARGEST, Math.max(SMALLEST, radius * factor)) });
    labeller.announcement.set(`Brush ${Math.round(2 * settings.hand.peek().radius)} pixels wide`);
    stage.guide();
  }

  function cancel(): boolean {
    const busy = action != null || polygon.length > 0 || apex != null;
    if (action?.kind === "brush") labeller.giveUp();
    action = null;
    polygon = [];
    apex = null;
    stage.guide();
    return busy;
  }

  // ---- guides ----

  stage.onGuide = (context, view) => {
    const { tool, radius } = settings.hand.peek();
    const ink = value() < IGNORED ? accent(value()).colour : "#ffffff";
    const path = (points: readonly number[], closed: boolean): void => {
      context.beginPath();
      for (let i = 0; i < points.length; i += 2)
        context.lineTo(view.x + (points[i] ?? 0) * view.sx, view.y + (points[i + 1] ?? 0) * view.sy);
      if (closed) context.closePath();
      // Dark below light: seen on any picture.
      both(context, ink);
    };
    if (action?.kind === "lasso") path(action.points, true);
    if (action?.kind === "box") {
      const { from, to } = action;
      path([from.x, from.y, to.x, from.y, to.x, to.y, from.x, to.y], true);
    }
    if (polygon.length > 0) path(pointer == null ? polygon : [...polygon, pointer.x, pointer.y], false);
    if (apex != null) drawHyperbola(context, view, path);
    if ((tool === "brush" || tool === "eraser") && pointer != null) {
      context.beginPath();
      context.arc(view.x + pointer.x * view.sx, view.y + pointer.y * view.sy, radius, 0, 2 * Math.PI);
      both(context, tool === "eraser" ? "#ffffff" : ink);
    }
  };

  function drawHyperbola(
    context: CanvasRenderingContext2D,
    view: View,
    path: (points: number[], closed: boolean) => void,
  ): void {
    if (apex == null) return;
    context.beginPath();
    context.arc(view.x + apex.x * view.sx, view.y + apex.y * view.sy, 4, 0, 2 * Math.PI);
    both(context, "#ffdc3c");
    const found = pointer == null ? null : hyperbolaTo(pointer);
    if (found == null) return;
    path(curve(found, groundOf(settings)), false);
    context.font = "12px sans-serif";
    context.lineWidth = 3;
    context.strokeStyle = "#000";
    context.fillStyle = "#fff";
    const text = reading(found);
    const [x, y] = [view.x + apex.x * view.sx + 10, view.y + apex.y * view.sy - 10];
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }

  return {
    hint,
    close: closePolygon,
    cancel,
    resize,
    fillHoles() {
      stroke("fill_holes", value(), null, (span) =>
        holes(labeller.mask(labeller.index.peek()), value(), span),
      );
    },
    ...draftsOf(labeller, settings.info.sections),
  };
}

function both(context: CanvasRenderingContext2D, ink: string): void {
  context.lineWidth = 3;
  context.strokeStyle = "rgb(0 0 0 / 55%)";
  context.stroke();
  context.lineWidth = 1.5;
  context.strokeStyle = ink;
  context.stroke();
}

function reading({ velocity_m_per_ns, depth_m, t0_ns }: Hyperbola): string {
  return `v ${velocity_m_per_ns.toFixed(3)} m/ns, depth ${depth_m.toFixed(2)} m, t₀ ${t0_ns.toFixed(1)} ns`;
}
