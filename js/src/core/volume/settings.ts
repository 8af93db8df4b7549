// What the annotator has chosen: how sections are shown, and what the hand draws with. Kept in the browser.

import type { VolumeInfo } from "../../volume-wire";
import { type ColourMap, CT_WINDOWS, type Range, windowRange } from "../display/levels";
import { RAW, type Recipe, type Spacing } from "../display/recipe";
import { type Signal, signal } from "../signal";
import { type KeyValue, readJson, writeJson } from "../storage";
import type { ToolName } from "./keys";

export interface Display {
  process: Recipe;
  /** Limits from the values themselves, or (null) `range`. */
  percent: number | null;
  symmetric: boolean;
  range: Range;
  colours: ColourMap;
  turned: boolean;
  time_zero: number;
  /** For the depth axis and for migration. */
  velocity_m_per_ns: number;
}

export interface Hand {
  tool: ToolName;
  /** What is painted: a class number, or "ignored". */
  value: number;
  /** Radius of the brush in CSS pixels. */
  radius: number;
  /** Of flood fill, as a share of the range that is shown. */
  tolerance: number;
  /** Rows that a fitted hyperbola is wide. */
  thickness: number;
}

export interface Overlay {
  opacity: number;
  outline: boolean;
  doubt: boolean;
}

/** How a volume is shown at first. */
export function firstDisplay(info: VolumeInfo): Display {
  const radar = info.flavour === "radar";
  return {
    process: radar ? { ...RAW, background: "mean" } : RAW,
    percent: radar ? 98 : null,
    symmetric: radar,
    range: info.flavour === "ct" ? windowRange(CT_WINDOWS.soft) : { low: info.low, high: info.high },
    colours: "grey",
    turned: false,
    time_zero: info.time_zero,
    velocity_m_per_ns: info.velocity_m_per_ns,
  };
}

const FIRST_OVERLAY: Overlay = { opacity: 0.6, outline: false, doubt: false };

export class Settings {
  readonly display: Signal<Display>;
  readonly hand: Signal<Hand>;
  readonly overlay: Signal<Overlay>;
  /** Class numbers that no stroke changes. */
  readonly locked: Signal<ReadonlySet<number>> = signal<ReadonlySet<number>>(new Set());
  readonly #storage: KeyValue | null;
  readonly #key: string;
  readonly first: Display;
  /** Told when depths are told by another velocity. */
  onVelocity: (velocity_m_per_ns: number) => void = () => undefined;

  constructor(
    storage: KeyValue | null,
    storeId: string,
    readonly info: VolumeInfo,
  ) {
    this.#storage = storage;
    this.#key = `al_widgets:volume:${storeId}`;
    this.first = firstDisplay(info);
    const kept = (readJson(storage, this.#key) ?? {}) as Partial<Record<string, object>>;
    const display = sane(this.first, kept["display"]);
    // A choice from before the kernel told another velocity is none any more.
    if ((kept["told"] as unknown) !== info.velocity_m_per_ns)
      display.velocity_m_per_ns = info.velocity_m_per_ns;
    this.display = signal(display);
    this.hand = signal(
      sane<Hand>({ tool: "brush", value: 1, radius: 8, tolerance: 0.12, thickness: 9 }, kept["hand"]),
    );
    this.overlay = signal(sane(FIRST_OVERLAY, kept["overlay"]));
  }

  show(change: Partial<Display>): void {
    const old = this.display.peek();
    this.display.set({ ...old, ...change });
    this.#keep();
    const { velocity_m_per_ns } = this.display.peek();
    if (velocity_m_per_ns !== old.velocity_m_per_ns) this.onVelocity(velocity_m_per_ns);
  }

  process(change: Partial<Recipe>): void {
    this.show({ process: { ...this.display.peek().process, ...change } });
  }

  take(change: Partial<Hand>): void {
    this.hand.set({ ...this.hand.peek(), ...change });
    this.#keep();
  }

  lay(change: Partial<Overlay>): void {
    this.overlay.set({ ...this.overlay.peek(), ...change });
    this.#keep();
  }

  /** Shows everything as it came. */
  reset(): void {
    this.show(this.first);
    this.lay(FIRST_OVERLAY);
  }

  lock(value: number): void {
    const locked = new Set(this.locked.peek());
    if (!locked.delete(value)) locked.add(value);
    this.locked.set(locked);
  }

  /** Spacing of samples and traces, for the steps of the radar chain. */
  spacing(): Spacing {
    const [, rows, columns] = this.info.axes;
    return {
      dt_ns: Math.abs(rows?.step ?? 1) || 1,
      dx_m: Math.abs(columns?.step ?? 1) || 1,
      time_zero: this.display.peek().time_zero,
    };
  }

  /** What depths are told by, where the annotator has chosen it. */
  velocity(): number | null {
    const { velocity_m_per_ns } = this.display.peek();
    return velocity_m_per_ns === this.info.velocity_m_per_ns ? null : velocity_m_per_ns;
  }

  /** JSON text that goes with each stroke: what was on the screen when it was drawn. */
  recipe(): string {
    const { process, percent, symmetric, range, colours, turned, time_zero, velocity_m_per_ns } =
      this.display.peek();
    return JSON.stringify({
      process,
      percent,
      symmetric,
      range,
      colours,
      turned,
      time_zero,
      velocity_m_per_ns,
    });
  }

  #keep(): void {
    // Pairs and not an object: the build shortens names of properties.
    const kept = [
      ["display", this.display.peek()],
      ["hand", this.hand.peek()],
      ["overlay", this.overlay.peek()],
      ["told", this.info.velocity_m_per_ns],
    ];
    writeJson(this.#storage, this.#key, Object.fromEntries(kept));
  }
}

/** Settings that may be nothing. */
const MAY_BE_NULL = new Set(["dewow_ns", "background_m", "max_gain", "velocity_m_per_ns", "percent"]);

/** What was kept, as far as it is of the same kinds as `first`: another version may have written it. */
function sane<T extends object>(first: T, kept: object | undefined): T {
  const others = (kept ?? {}) as Record<string, unknown>;
  const pairs = Object.entries(first).map(([name, value]: [string, unknown]) => {
    const other = others[name];
    if (typeof value === "object" && value !== null)
      return [name, sane(value, typeof other === "object" && other !== null ? other : undefined)];
    const free = MAY_BE_NULL.has(name) && (other === null || typeof other === "number");
    return [name, free || (value !== null && typeof other === typeof value) ? other : value];
  });
  return Object.fromEntries(pairs) as T;
}
