// What is done to a section before it is shown, as in `al_widgets.features.gpr_processing.Recipe`; never to what is stored.

import { agc, background, dewow, type Grid, sec } from "./filters";
import type { Sliced } from "./sliced";
import { envelope, migrate } from "./spectral";

/** Names and meanings are Python's; stored as JSON beside each stroke. */
export interface Recipe {
  dewow_ns: number | null;
  background: "none" | "mean" | "median";
  background_m: number | null;
  gain: "none" | "sec" | "agc";
  sec_power: number;
  sec_alpha_per_ns: number;
  max_gain: number | null;
  agc_ns: number;
  velocity_m_per_ns: number | null;
  show_envelope: boolean;
}

export const RAW: Recipe = {
  dewow_ns: null,
  background: "none",
  background_m: null,
  gain: "none",
  sec_power: 1,
  sec_alpha_per_ns: 0,
  max_gain: null,
  agc_ns: 5,
  velocity_m_per_ns: null,
  show_envelope: false,
};

/** Spacing of the section's samples and traces. */
export interface Spacing {
  dt_ns: number;
  dx_m: number;
  time_zero: number;
}

interface Step {
  /** Of what it depends on, beside what came before it. */
  key: string;
  run(grid: Grid): Sliced<Grid>;
}

// biome-ignore lint/correctness/useYield: the gain is done in one go, and every step is asked alike.
function* atOnce(grid: Grid): Sliced<Grid> {
  return grid;
}

/** The steps in their order. Steps that do nothing are left out. */
function stepsOf(recipe: Recipe, { dt_ns, dx_m, time_zero }: Spacing): Step[] {
  const steps: Step[] = [];
  const { dewow_ns, background_m, gain, agc_ns, velocity_m_per_ns } = recipe;
  if (dewow_ns != null && dewow_ns > 0) {
    const window = Math.round(dewow_ns / dt_ns);
    steps.push({ key: `dewow ${window}`, run: (grid) => dewow(grid, window) });
  }
  if (recipe.background !== "none") {
    const method = recipe.background;
    const window = background_m == null ? null : Math.round(background_m / dx_m);
    steps.push({ key: `${method} ${window}`, run: (grid) => background(grid, method, window) });
  }
  if (velocity_m_per_ns != null && velocity_m_per_ns > 0) {
    steps.push({
      key: `migrate ${velocity_m_per_ns} ${time_zero}`,
      run: (grid) => migrate(grid, dt_ns, dx_m, velocity_m_per_ns, time_zero),
    });
  }
  if (gain === "sec") {
    const { sec_power: power, sec_alpha_per_ns: alpha_per_ns, max_gain } = recipe;
    steps.push({
      key: `sec ${power} ${alpha_per_ns} ${max_gain} ${time_zero}`,
      run: (grid) => atOnce(sec(grid, { dt_ns, time_zero, power, alpha_per_ns, max_gain })),
    });
  } else if (gain === "agc") {
    const window = Math.round(agc_ns / dt_ns);
    steps.push({ key: `agc ${window}`, run: (grid) => agc(grid, window) });
  }
  if (recipe.show_envelope) steps.push({ key: "envelope", run: envelope });
  return steps;
}

/** Name of what a recipe makes: equal names, equal results. */
export function recipeKey(recipe: Recipe, spacing: Spacing): string {
  return stepsOf(recipe, spacing)
    .map(({ key }) => key)
    .join("; ");
}

/** Processes one section again and again, and begins each time where something is different. */
export class Chain {
  #source: Grid | null = null;
  #done: { key: string; grid: Grid }[] = [];

  *run(source: Grid, recipe: Recipe, spacing: Spacing): Sliced<Grid> {
    if (source !== this.#source) this.#done = [];
    this.#source = source;
    const steps = stepsOf(recipe, spacing);
    let same = 0;
    while (same < steps.length && this.#done[same]?.key === steps[same]?.key) same += 1;
    // A copy: a run that is given up leaves nothing half done.
    const done = this.#done.slice(0, same);
    let grid = done.at(-1)?.grid ?? source;
    for (const { key, run } of steps.slice(same)) {
      grid = yield* run(grid);
      done.push({ key, grid });
    }
    this.#done = done;
    return grid;
  }
}
