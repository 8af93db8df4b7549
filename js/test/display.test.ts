// The display chain against golden files that Python's chain wrote, and what is measured of it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Fft, fastLength } from "../src/core/display/fft";
import { agc, background, dewow, type Grid, noiseFloor, sec } from "../src/core/display/filters";
import { colourTable, paintValues, percentileRange, windowRange } from "../src/core/display/levels";
import { Chain, RAW, type Recipe, recipeKey } from "../src/core/display/recipe";
import { runAll, runFor } from "../src/core/display/sliced";
import { envelope, migrate } from "../src/core/display/spectral";

interface Golden {
  rows: number;
  columns: number;
  dt_ns: number;
  dx_m: number;
  time_zero_sample: number;
  noise_floor: number;
  input: (number | null)[];
  // biome-ignore lint/suspicious/noExplicitAny: options are those of Python's steps.
  steps: { step: string; options: any; output: number[] }[];
}

const folder = join(__dirname, "../../tests/golden/display");
const golden = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => [name, JSON.parse(readFileSync(join(folder, name), "utf8")) as Golden] as const);

function processed(
  file: Golden,
  grid: Grid,
  step: string,
  options: Golden["steps"][0]["options"],
): Grid | null {
  const { dt_ns, dx_m, time_zero_sample: time_zero } = file;
  if (step === "dewow") return runAll(dewow(grid, options.window));
  if (step === "background") return runAll(background(grid, options.method, options.window));
  if (step === "gain_sec") return sec(grid, { dt_ns, time_zero, ...options });
  if (step === "gain_agc") return runAll(agc(grid, options.window, options.max_gain));
  if (step === "envelope") return runAll(envelope(grid));
  if (step === "migrate") return runAll(migrate(grid, dt_ns, dx_m, options.velocity_m_per_ns, time_zero));
  if (step === "recipe")
    return runAll(new Chain().run(grid, options.recipe as Recipe, { dt_ns, dx_m, time_zero }));
  return null; // the page does not offer it
}

test.each(golden)("the chain does what Python's does: %s", (_name, file) => {
  const { rows, columns } = file;
  const values = Float32Array.from(file.input, (value) => value ?? 0);
  const grid = { rows, columns, values };
  expect(noiseFloor(grid)).toBe(file.noise_floor);
  const compared: string[] = [];
  for (const { step, options, output } of file.steps) {
    const result = processed(file, grid, step, options);
    if (result == null) continue;
    compared.push(step);
    const largest = output.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = output.map((value, i) => Math.abs(value - (result.values[i] ?? Number.NaN)));
    expect(Math.max(...off), `${step} ${JSON.stringify(options)}`).toBeLessThan(5e-5 * largest);
  }
  expect(new Set(compared)).toEqual(
    new Set(["dewow", "background", "gain_sec", "gain_agc", "envelope", "migrate", "recipe"]),
  );
  expect(values).toEqual(Float32Array.from(file.input, (value) => value ?? 0));
});

test.each([1, 2, 4, 6, 8, 12, 30, 77, 128, 1050])(
  "the transform of %d values is that of the definition",
  (n) => {
    const re = Float64Array.from({ length: n }, (_, i) => Math.sin(i * i + 1));
    const im = Float64Array.from({ length: n }, (_, i) => Math.cos(3 * i + 0.2));
    const [a, b] = [re.slice(), im.slice()];
    const fft = new Fft(n);
    fft.forward(a, b);
    for (let k = 0; k < n; k += Math.ceil(n / 9)) {
      let [x, y] = [0, 0];
      for (let i = 0; i < n; i += 1) {
        const angle = (-2 * Math.PI * ((k * i) % n)) / n;
        x += (re[i] ?? 0) * Math.cos(angle) - (im[i] ?? 0) * Math.sin(angle);
        y += (re[i] ?? 0) * Math.sin(angle) + (im[i] ?? 0) * Math.cos(angle);
      }
      expect(a[k]).toBeCloseTo(x, 8);
      expect(b[k]).toBeCloseTo(y, 8);
    }
    fft.inverse(a, b);
    for (let i = 0; i < n; i += 1) expect(a[i]).toBeCloseTo(re[i] ?? 0, 10);
  },
);

test("lengths are padded as SciPy pads them", () => {
  expect([1, 13, 1040, 2080, 4093].map(fastLength)).toEqual([1, 14, 1050, 2100, 4096]);
});

test("a chain begins where something is different, and a run that is given up leaves nothing behind", () => {
  const grid = {
    rows: 400,
    columns: 300,
    values: Float32Array.from({ length: 120_000 }, (_, i) => Math.sin(i * i)),
  };
  const spacing = { dt_ns: 0.1, dx_m: 0.02, time_zero: 5 };
  const chain = new Chain();
  const recipe: Recipe = { ...RAW, dewow_ns: 3, background: "mean", gain: "sec" };
  const first = runAll(chain.run(grid, recipe, spacing));
  const started = chain.run(grid, { ...recipe, velocity_m_per_ns: 0.1 }, spacing);
  expect(runFor(started, () => 1, 0)).toBeUndefined();
  const again = runAll(chain.run(grid, recipe, spacing));
  expect(again).toBe(first);
  const other = runAll(chain.run(grid, { ...recipe, gain: "agc" }, spacing));
  expect(other.values).not.toEqual(first.values);
  expect(runAll(chain.run(grid, RAW, spacing))).toBe(grid);
  expect(recipeKey(RAW, spacing)).toBe("");
  expect(recipeKey(recipe, spacing)).not.toBe(recipeKey({ ...recipe, sec_power: 2 }, spacing));
});

test("limits hold the share of values that was asked", () => {
  const values = Float32Array.from({ length: 10_001 }, (_, i) => i - 2000);
  expect(percentileRange({ values }, 98, false).low).toBeCloseTo(-1900, 0);
  expect(percentileRange({ values }, 98, false).high).toBeCloseTo(7900, 0);
  const { low, high } = percentileRange({ values }, 98, true);
  const exact = [...values].map(Math.abs).sort((a, b) => a - b)[9800] ?? 0;
  expect(high).toBeCloseTo(exact, 0);
  expect(low).toBe(-high);
  expect(percentileRange({ values: new Float32Array(4).fill(7) }, 98, false)).toEqual({ low: 7, high: 7 });
});

test("one outlier does not coarsen the limits", () => {
  const values = Float32Array.from({ length: 10_001 }, (_, i) => i / 1000);
  values[5] = 1e6;
  expect(percentileRange({ values }, 98, true).high).toBeCloseTo(9.8, 1);
});

test("amplitudes beyond the limits are clipped, never wrapped; polarity turns the colours", () => {
  const values = Float32Array.from([-1e30, -2, -1, 0, 0.999, 1, 2, 1e30, Number.NaN]);
  const out = new Uint32Array(values.length);
  paintValues(values, { low: -1, high: 1 }, colourTable("grey", false), out);
  expect([...out].map((word) => word & 255)).toEqual([0, 0, 0, 128, 255, 255, 255, 255, 0]);
  expect([...out].every((word) => word >>> 24 === 255)).toBe(true);
  paintValues(values, { low: -1, high: 1 }, colourTable("seismic", false), out);
  expect(out[0]?.toString(16)).toBe("ff4d0000");
  expect([...colourTable("seismic", true)]).toEqual([...colourTable("seismic", false)].reverse());
  expect(windowRange({ width: 400, level: 40 })).toEqual({ low: -160, high: 240 });
});
