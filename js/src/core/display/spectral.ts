// The two steps that need a spectrum: envelope and migration. As in `al_widgets.features.gpr_processing`.

import { Fft, fastLength } from "./fft";
import type { Grid } from "./filters";
import type { Sliced } from "./sliced";

/** The instantaneous amplitude: magnitude of the analytic signal along each trace. */
export function* envelope({ rows, columns, values }: Grid): Sliced<Grid> {
  const n = fastLength(rows);
  const fft = new Fft(n);
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  const out = new Float32Array(values.length);
  for (let c = 0; c < columns; c += 1) {
    re.fill(0);
    im.fill(0);
    for (let row = 0; row < rows; row += 1) re[row] = values[row * columns + c] as number;
    fft.forward(re, im);
    for (let k = 1; k < n; k += 1) {
      const weight = 2 * k < n ? 2 : 2 * k === n ? 1 : 0;
      re[k] = (re[k] as number) * weight;
      im[k] = (im[k] as number) * weight;
    }
    fft.inverse(re, im);
    for (let row = 0; row < rows; row += 1)
      out[row * columns + c] = Math.hypot(re[row] as number, im[row] as number);
    if (c % 8 === 0) yield;
  }
  return { rows, columns, values: out };
}

/**
 * Collapses hyperbolae to their apex: constant-velocity f-k migration (Stolt 1978, Geophysics 43, 23-48). An apex stays at its
 * sample; what comes before time-zero becomes 0.
 */
export function* migrate(
  grid: Grid,
  dt_ns: number,
  dx_m: number,
  velocity_m_per_ns: number,
  time_zero: number,
): Sliced<Grid> {
  const { columns } = grid;
  const start = Math.min(Math.max(halfToEven(time_zero), 0), grid.rows - 1);
  const rows = grid.rows - start;
  const values = grid.values.subarray(start * columns);
  const speed = velocity_m_per_ns / 2;
  // The spectrum is interpolated between frequencies: long padding and a time origin in the middle keep its phase slow.
  const nt = fastLength(4 * rows);
  const nx = fastLength(2 * columns);
  // The section is real: frequencies below zero mirror those above, so half of them do.
  const half = (nt >> 1) + 1;
  const middle = (dt_ns * rows) / 2;
  const re = new Float32Array(half * nx);
  const im = new Float32Array(half * nx);

  const down = new Fft(nt);
  const across = new Fft(nx);
  let lineRe = new Float64Array(nt);
  let lineIm = new Float64Array(nt);
  for (let c = 0; c < columns; c += 1) {
    lineRe.fill(0);
    lineIm.fill(0);
    for (let row = 0; row < rows; row += 1) lineRe[row] = values[row * columns + c] as number;
    down.forward(lineRe, lineIm);
    for (let k = 0; k < half; k += 1) {
      re[k * nx + c] = lineRe[k] as number;
      im[k * nx + c] = lineIm[k] as number;
    }
    if (c % 4 === 0) yield;
  }
  const wideRe = new Float64Array(nx);
  const wideIm = new Float64Array(nx);
  for (let k = 0; k < half; k += 1) {
    const line = k * nx;
    wideRe.set(re.subarray(line, line + nx));
    wideIm.set(im.subarray(line, line + nx));
    across.forward(wideRe, wideIm);
    re.set(wideRe, line);
    im.set(wideIm, line);
    if (k % 4 === 0) yield;
  }

  // Down each wavenumber: every frequency is fetched from where the migrated one came from.
  const omegaStep = 1 / (nt * dt_ns);
  const shiftRe = new Float64Array(half);
  const shiftIm = new Float64Array(half);
  for (let k = 0; k < half; k += 1) {
    const angle = 2 * Math.PI * k * omegaStep * middle;
    shiftRe[k] = Math.cos(angle);
    shiftIm[k] = Math.sin(angle);
  }
  lineRe = new Float64Array(half);
  lineIm = new Float64Array(half);
  // Where nt is even, its highest frequency stands for both signs; Python's grid has it as the negative one only.
  const last = nt % 2 === 0 ? half - 1 : half;
  for (let c = 0; c < nx; c += 1) {
    const wavenumber = (c < (nx + 1) >> 1 ? c : c - nx) / (nx * dx_m);
    for (let k = 0; k < half; k += 1) {
      const [a, b] = [re[k * nx + c] as number, im[k * nx + c] as number];
      lineRe[k] = a * (shiftRe[k] as number) - b * (shiftIm[k] as number);
      lineIm[k] = a * (shiftIm[k] as number) + b * (shiftRe[k] as number);
    }
    for (let k = 0; k < half; k += 1) {
      const omega = k * omegaStep;
      const source = k === 0 ? 0 : Math.hypot(omega, speed * wavenumber);
      const position = source * nt * dt_ns;
      const low = Math.floor(position);
      if (k >= last || low + 1 >= half || position >= (nt >> 1) - 1) {
        re[k * nx + c] = 0;
        im[k * nx + c] = 0;
        continue;
      }
      const weight = position - low;
      const jacobian = omega / Math.max(source, 1e-12);
      const a = ((1 - weight) * (lineRe[low] as number) + weight * (lineRe[low + 1] as number)) * jacobian;
      const b = ((1 - weight) * (lineIm[low] as number) + weight * (lineIm[low + 1] as number)) * jacobian;
      const angle = -2 * Math.PI * source * middle;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      re[k * nx + c] = a * cos - b * sin;
      im[k * nx + c] = a * sin + b * cos;
    }
    if (c % 8 === 0) yield;
  }

  for (let k = 0; k < half; k += 1) {
    const line = k * nx;
    wideRe.set(re.subarray(line, line + nx));
    wideIm.set(im.subarray(line, line + nx));
    across.inverse(wideRe, wideIm);
    re.set(wideRe, line);
    im.set(wideIm, line);
    if (k % 4 === 0) yield;
  }
  const out = new Float32Array(grid.values.length);
  lineRe = new Float64Array(nt);
  lineIm = new Float64Array(nt);
  for (let c = 0; c < columns; c += 1) {
    for (let k = 0; k < half; k += 1) {
      const [a, b] = [re[k * nx + c] as number, im[k * nx + c] as number];
      lineRe[k] = a;
      lineIm[k] = b;
      if (k === 0 || 2 * k === nt) continue;
      lineRe[nt - k] = a;
      lineIm[nt - k] = -b;
    }
    down.inverse(lineRe, lineIm);
    for (let row = 0; row < rows; row += 1) out[(start + row) * columns + c] = lineRe[row] as number;
    if (c % 4 === 0) yield;
  }
  return { rows: grid.rows, columns, values: out };
}

/** Rounds as Python does. */
function halfToEven(value: number): number {
  const whole = Math.floor(value);
  return value - whole === 0.5 ? whole + (whole % 2) : Math.round(value);
}
