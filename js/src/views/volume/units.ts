// Raw indices as coordinates with units, and the other way round.

import type { Ground } from "../../core/mask/hyperbola";
import type { Settings } from "../../core/volume/settings";
import { shown } from "../../core/volume/view";
import type { AxisInfo } from "../../volume-wire";

const NAMES: Record<string, string> = { time: "two-way time" };

/** One side of the picture: a coordinate at raw place p is `first + p * step`. */
export interface Scaled {
  name: string;
  unit: string;
  first: number;
  step: number;
}

/** Raw places count from the edge of pixel 0; coordinates are those of pixels' centres. */
function scaled(axis: AxisInfo | undefined): Scaled {
  const { name = "", unit = "", step = 1, origin = 0 } = axis ?? {};
  return { name: NAMES[name] ?? name, unit, first: origin - step / 2, step };
}

/** Along the picture, down it, and (radar) how deep that is at the chosen velocity. */
export function sides({ info, display }: Settings): { across: Scaled; down: Scaled; deep: Scaled | null } {
  const { time_zero, velocity_m_per_ns } = display.get();
  const across = scaled(info.axes[2]);
  const down = scaled(info.axes[1]);
  if (info.flavour !== "radar") return { across, down, deep: null };
  const first = -(time_zero + 0.5) * down.step;
  const half = velocity_m_per_ns / 2;
  return {
    across,
    down: { ...down, first },
    deep: {
      name: `depth at ${Number(velocity_m_per_ns.toPrecision(3))} m/ns`,
      unit: "m",
      first: first * half,
      step: down.step * half,
    },
  };
}

export function at({ first, step }: Scaled, place: number): number {
  return first + place * step;
}

export function labelled({ name, unit }: Scaled): string {
  return unit === "" || unit === "index" ? name : `${name} (${unit})`;
}

export function value(side: Scaled, place: number): string {
  return `${shown(at(side, place), Math.abs(side.step))}${side.unit === "" || side.unit === "index" ? "" : ` ${side.unit}`}`;
}

/** Where a section lies, as its axis tells, and which of all it is. */
export function sectionAt({ info }: Settings, index: number): string {
  const axis = scaled(info.axes[0]);
  const place = `${index + 1} / ${info.sections}`;
  return axis.unit === "index"
    ? `${axis.name} ${place}`
    : `${axis.name} ${value(axis, index + 0.5)} (${place})`;
}

/** For the hyperbola tool. */
export function groundOf(settings: Settings): Ground {
  const { dt_ns, dx_m, time_zero } = settings.spacing();
  // Row r is at time (r - time_zero) · dt: its centre lies at r + 0.5.
  return { dx: dx_m, x: settings.info.axes[2]?.origin ?? 0, dt: dt_ns, time_zero: time_zero + 0.5 };
}

/** A sample as it is read out. */
export function sample(number: number, unit: string): string {
  const text = Number.isInteger(number)
    ? number.toLocaleString("en-US")
    : Number(number.toPrecision(4)).toString();
  return unit === "" ? text : `${text} ${unit}`;
}
