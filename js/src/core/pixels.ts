// Typed bytes of a scientific picture -> grey levels, with brightness and contrast applied here, in the browser.

import type { ImageInfo } from "../wire";

/** Brightness: shift of the shown values in units of the item's own range. Contrast: factor on it. */
export interface Levels {
  brightness: number;
  contrast: number;
}

export const AUTO_LEVELS: Levels = { brightness: 0, contrast: 1 };

export type Samples = Uint8Array | Int8Array | Uint16Array | Int16Array | Float32Array;

const KINDS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  float32: Float32Array,
} as const;

/** The samples of a raw picture. The bytes are copied: message buffers start at any offset, typed arrays do not. */
export function samplesOf(
  info: Pick<ImageInfo, "dtype" | "width" | "height" | "channels">,
  buffer: DataView,
): Samples {
  const kind = KINDS[info.dtype as keyof typeof KINDS];
  if (kind == null) throw new Error(`unknown dtype ${JSON.stringify(info.dtype)}`);
  const n = info.width * info.height * info.channels;
  const bytes = n * kind.BYTES_PER_ELEMENT;
  if (buffer.byteLength !== bytes) {
    throw new Error(`${buffer.byteLength} bytes came, ${info.dtype} pixels need ${bytes}`);
  }
  return new kind(new Uint8Array(buffer.buffer, buffer.byteOffset, bytes).slice().buffer);
}

/** The values shown black and white. */
export function range(info: Pick<ImageInfo, "low" | "high">, levels: Levels): { low: number; high: number } {
  const width = info.high - info.low || 1;
  const centre = (info.low + info.high) / 2 - levels.brightness * width;
  const half = width / 2 / levels.contrast;
  return { low: centre - half, high: centre + half };
}

/**
 * Paints samples into RGBA. One channel (or two, the second ignored) becomes grey, three and four keep their colours;
 * values outside the range are clipped, never wrapped; NaN is transparent.
 */
export function paint(samples: Samples, info: ImageInfo, levels: Levels, out: Uint8ClampedArray): void {
  const { low, high } = range(info, levels);
  const gain = 255 / (high - low);
  const channels = info.channels;
  const colour = channels >= 3;
  const table = samples instanceof Uint8Array ? lookup(low, gain) : null;
  const grey = (value: number): number => (table == null ? (value - low) * gain : (table[value] ?? 0));
  for (let i = 0, o = 0; i < samples.length; i += channels, o += 4) {
    const first = samples[i] ?? 0;
    const r = grey(first);
    const g = colour ? grey(samples[i + 1] ?? 0) : r;
    const b = colour ? grey(samples[i + 2] ?? 0) : r;
    out[o] = r;
    out[o + 1] = g;
    out[o + 2] = b;
    out[o + 3] = Number.isNaN(first) ? 0 : channels === 4 ? (samples[i + 3] ?? 255) : 255;
  }
}

function lookup(low: number, gain: number): Uint8ClampedArray {
  const table = new Uint8ClampedArray(256);
  for (let value = 0; value < 256; value += 1) table[value] = (value - low) * gain;
  return table;
}
