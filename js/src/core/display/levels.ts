// From values to colours: which values are black and white, and a table of 256 colours between them.

import type { Grid } from "./filters";

/** The values shown with the first and the last colour. */
export interface Range {
  low: number;
  high: number;
}

/** The part of values within which `percent` of them lie: about 0 (of magnitudes), or between both ends. */
export function percentileRange(
  { values }: Pick<Grid, "values">,
  percent: number,
  symmetric: boolean,
): Range {
  const kept = Math.min(Math.max(percent, 0), 100) / 100;
  if (symmetric) {
    const limit = quantile(values, kept, true);
    return { low: -limit, high: limit };
  }
  return { low: quantile(values, (1 - kept) / 2, false), high: quantile(values, (1 + kept) / 2, false) };
}

const BINS = 4096;

/** A quantile from two histograms, the second within the bin of the first: exact to a sixteen-millionth of the range. */
function quantile(values: Float32Array, share: number, magnitudes: boolean): number {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i += 1) {
    const value = magnitudes ? Math.abs(values[i] as number) : (values[i] as number);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > low)) return Number.isFinite(low) ? low : 0;
  let rank = share * (values.length - 1);
  for (let pass = 0; pass < 2; pass += 1) {
    const counts = new Uint32Array(BINS + 1);
    const perUnit = BINS / (high - low);
    for (let i = 0; i < values.length; i += 1) {
      const value = magnitudes ? Math.abs(values[i] as number) : (values[i] as number);
      const bin = Math.floor((value - low) * perUnit);
      if (bin >= 0 && bin <= BINS) counts[bin] = (counts[bin] as number) + 1;
    }
    let bin = 0;
    while (bin < BINS && rank >= (counts[bin] as number)) {
      rank -= counts[bin] as number;
      bin += 1;
    }
    const next = low + (bin + 1) / perUnit;
    low += bin / perUnit;
    high = next;
  }
  return low;
}

export type ColourMap = "grey" | "seismic" | "viridis";

/** Colours in equal steps; between them it is linear. Viridis by Smith and van der Walt, seismic as in matplotlib. */
const STOPS: Record<ColourMap, readonly number[]> = {
  grey: [0x000000, 0xffffff],
  seismic: [0x00004d, 0x0000ff, 0xffffff, 0xff0000, 0x800000],
  viridis: [
    0x440154, 0x481a6c, 0x472f7d, 0x414487, 0x39568c, 0x31688e, 0x2a788e, 0x23888e, 0x1f988b, 0x22a884,
    0x35b779, 0x54c568, 0x7ad151, 0xa5db36, 0xd2e21b, 0xfde725,
  ],
};

/** 256 colours as RGBA in memory order (little-endian words). `turned` is the other polarity. */
export function colourTable(map: ColourMap, turned: boolean): Uint32Array {
  const stops = STOPS[map];
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const at = ((turned ? 255 - i : i) / 255) * (stops.length - 1);
    const first = Math.min(Math.floor(at), stops.length - 2);
    const mix = (shift: number): number => {
      const a = ((stops[first] ?? 0) >> shift) & 255;
      const b = ((stops[first + 1] ?? 0) >> shift) & 255;
      return Math.round(a + (b - a) * (at - first));
    };
    return (255 << 24) | (mix(0) << 16) | (mix(8) << 8) | mix(16);
  });
}

/** Paints values; those outside the range are clipped, never wrapped. */
export function paintValues(
  values: Float32Array,
  { low, high }: Range,
  table: Uint32Array,
  out: Uint32Array,
): void {
  const perValue = 256 / (high - low || 1);
  const first = table[0] as number;
  const last = table[255] as number;
  for (let i = 0; i < values.length; i += 1) {
    const at = ((values[i] as number) - low) * perValue;
    out[i] = at >= 255 ? last : at > 0 ? (table[at | 0] as number) : first;
  }
}

/** Windows of computed tomography in Hounsfield units: width and level. */
export const CT_WINDOWS = {
  soft: { width: 400, level: 40 },
  lung: { width: 1500, level: -600 },
  bone: { width: 1800, level: 400 },
} as const;

export function windowRange({ width, level }: { width: number; level: number }): Range {
  return { low: level - width / 2, high: level + width / 2 };
}
