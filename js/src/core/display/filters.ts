// Filters of a radar section, as in `al_widgets.features.gpr_processing`: new values, sample i of the result is sample i of the data.

import type { Sliced } from "./sliced";

/** Values of one section, rows first. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** Rows or traces that are worked on between two looks at the clock. */
const SLICE = 32;

function like({ rows, columns, values }: Grid): Grid & { values: Float32Array } {
  return { rows, columns, values: new Float32Array(values.length) };
}

/** An odd window between 1 and n or n + 1. */
function odd(window: number, n: number): number {
  return Math.max(1, Math.min(Math.trunc(window), n)) | 1;
}

function clamp(i: number, n: number): number {
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/** The running mean down each column over `window` rows; at the ends the first and last row count on. */
function* meanOfRows({ rows, columns, values }: Grid, window: number, power: 1 | 2): Sliced<Float64Array> {
  const size = odd(window, rows);
  const half = (size - 1) / 2;
  const means = new Float64Array(values.length);
  const sums = new Float64Array(columns);
  const add = (row: number, sign: number): void => {
    const from = clamp(row, rows) * columns;
    for (let c = 0; c < columns; c += 1) {
      const value = values[from + c] as number;
      sums[c] = (sums[c] as number) + sign * (power === 2 ? value * value : value);
    }
  };
  for (let row = -half; row <= half; row += 1) add(row, 1);
  for (let row = 0; row < rows; row += 1) {
    const to = row * columns;
    for (let c = 0; c < columns; c += 1) means[to + c] = (sums[c] as number) / size;
    add(row - half, -1);
    add(row + half + 1, 1);
    if (row % SLICE === 0) yield;
  }
  return means;
}

/** Takes slow drifts out of each trace: less the running mean over `window` samples. */
export function* dewow(grid: Grid, window: number): Sliced<Grid> {
  const means = yield* meanOfRows(grid, window, 1);
  const out = like(grid);
  for (let i = 0; i < means.length; i += 1) out.values[i] = (grid.values[i] as number) - (means[i] as number);
  return out;
}

/** Less the mean or median trace, of the whole section (`window` null) or of `window` traces around each. */
export function* background(grid: Grid, method: "mean" | "median", window: number | null): Sliced<Grid> {
  const { rows, columns, values } = grid;
  const out = like(grid);
  const scratch = new Float32Array(columns);
  const size = window == null ? 0 : odd(window, columns);
  for (let row = 0; row < rows; row += 1) {
    const from = row * columns;
    const line = values.subarray(from, from + columns);
    const into = out.values.subarray(from, from + columns);
    if (window == null) {
      scratch.set(line);
      const whole = method === "median" ? median(scratch) : mean(line);
      for (let c = 0; c < columns; c += 1) into[c] = (line[c] as number) - whole;
    } else if (method === "mean") {
      runningMean(line, size, into);
    } else {
      runningMedian(line, size, into);
    }
    if (row % SLICE === 0 || (size > 0 && method === "median")) yield;
  }
  return out;
}

function mean(line: Float32Array): number {
  let sum = 0;
  for (const value of line) sum += value;
  return sum / line.length;
}

/** Median of an array that may be reordered. */
function median(values: Float32Array): number {
  const n = values.length;
  const upper = select(values, n >> 1);
  if (n % 2 === 1) return upper;
  let lower = -Infinity;
  for (let i = 0; i < n >> 1; i += 1) lower = Math.max(lower, values[i] as number);
  return (lower + upper) / 2;
}

/** Value of rank `k`; what is smaller is moved before it (Hoare's quickselect). */
function select(values: Float32Array, k: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] as number;
    let i = low;
    let j = high;
    while (i <= j) {
      while ((values[i] as number) < pivot) i += 1;
      while ((values[j] as number) > pivot) j -= 1;
      if (i > j) break;
      const kept = values[i] as number;
      values[i] = values[j] as number;
      values[j] = kept;
      i += 1;
      j -= 1;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return values[k] as number;
}

function runningMean(line: Float32Array, size: number, into: Float32Array): void {
  const n = line.length;
  const half = (size - 1) / 2;
  let sum = 0;
  for (let c = -half; c <= half; c += 1) sum += line[clamp(c, n)] as number;
  for (let c = 0; c < n; c += 1) {
    into[c] = (line[c] as number) - sum / size;
    sum += (line[clamp(c + half + 1, n)] as number) - (line[clamp(c - half, n)] as number);
  }
}

/** The window is kept sorted: one value leaves and one comes a step. */
function runningMedian(line: Float32Array, size: number, into: Float32Array): void {
  const n = line.length;
  const half = (size - 1) / 2;
  const sorted = Float32Array.from({ length: size }, (_, i) => line[clamp(i - half, n)] as number).sort();
  for (let c = 0; c < n; c += 1) {
    into[c] = (line[c] as number) - (sorted[half] as number);
    const leaves = rank(sorted, line[clamp(c - half, n)] as number);
    const value = line[clamp(c + half + 1, n)] as number;
    let at = leaves;
    for (; at > 0 && (sorted[at - 1] as number) > value; at -= 1) sorted[at] = sorted[at - 1] as number;
    for (; at < size - 1 && (sorted[at + 1] as number) < value; at += 1)
      sorted[at] = sorted[at + 1] as number;
    sorted[at] = value;
  }
}

/** Where a value stands in a sorted array that has it. */
function rank(sorted: Float32Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Divides by the root mean square over `window` samples; no sample is raised more than `most` times the strongest window's. */
export function* agc(grid: Grid, window: number, most = 1000): Sliced<Grid> {
  const power = yield* meanOfRows(grid, window, 2);
  let strongest = 0;
  for (const value of power) strongest = Math.max(strongest, value);
  if (strongest === 0) return grid;
  const least = Math.sqrt(strongest) / most;
  const out = like(grid);
  for (let i = 0; i < power.length; i += 1)
    out.values[i] = (grid.values[i] as number) / Math.max(Math.sqrt(Math.max(power[i] as number, 0)), least);
  return out;
}

export interface SecOptions {
  dt_ns: number;
  time_zero: number;
  power: number;
  alpha_per_ns: number;
  /** Null: it stops growing where the signal sinks into the noise. */
  max_gain: number | null;
}

/** Makes up for spreading and loss: times (1 + t)^power · exp(alpha · t), capped. */
export function sec(grid: Grid, { dt_ns, time_zero, power, alpha_per_ns, max_gain }: SecOptions): Grid {
  const { rows, columns, values } = grid;
  const logs = Float64Array.from({ length: rows }, (_, row) => {
    const t = Math.max(row - time_zero, 0) * dt_ns;
    return power * Math.log1p(t) + alpha_per_ns * t;
  });
  const cap =
    max_gain == null
      ? (logs[Math.min(noiseFloor(grid), rows - 1)] as number)
      : Math.log(Math.max(max_gain, 1e-30));
  const out = like(grid);
  for (let row = 0; row < rows; row += 1) {
    const gain = Math.exp(Math.min(Math.max(logs[row] as number, -80), Math.min(cap, 80)));
    const end = (row + 1) * columns;
    for (let i = row * columns; i < end; i += 1) out.values[i] = (values[i] as number) * gain;
  }
  return out;
}

/** The row from which the mean amplitude stays within `factor` of its level in the last tenth. */
export function noiseFloor({ rows, columns, values }: Grid, factor = 1.5): number {
  const strength = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i += 1) sum += Math.abs(values[i] as number);
    strength[row] = sum / columns;
  }
  const floor = median(strength.slice(-Math.max(1, Math.floor(rows / 10))));
  for (let row = rows - 1; row >= 0; row -= 1) if ((strength[row] as number) > factor * floor) return row + 1;
  return 0;
}
