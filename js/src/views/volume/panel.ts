// Settings of the display. They change what is seen, never the data.

import type { Display, Overlay } from "../../core/volume/settings";
import { button, h, on, type Scope, setAttribute, setText } from "../dom";
import type { VolumeState } from "./state";

type Field = HTMLInputElement | HTMLSelectElement;

export function panelView(state: VolumeState, scope: Scope): HTMLElement {
  const { settings, studio } = state;
  const { info } = settings;
  const radar = info.flavour === "radar";
  const display = (): Display => settings.display.get();

  function row(
    name: string,
    label: string,
    field: Field,
    read: () => string | boolean,
    note?: () => string,
  ): HTMLElement {
    field.dataset["alSetting"] = name;
    const told = h("output.told");
    scope.effect(() => {
      const now = read();
      if (typeof now === "boolean") (field as HTMLInputElement).checked = now;
      // What is being typed is left alone.
      else if (
        field.value !== now &&
        field.getRootNode() instanceof ShadowRoot &&
        (field.getRootNode() as ShadowRoot).activeElement !== field
      )
        field.value = now;
      else if (field.value !== now && field.type === "range") field.value = now;
      setText(told, note?.() ?? "");
    });
    field.value = typeof read() === "string" ? (read() as string) : "";
    return h("label.setting", {}, h("span", {}, label), field, note == null ? null : told);
  }

  function select(
    name: string,
    label: string,
    options: readonly (readonly [string, string])[],
    read: () => string,
    write: (value: string) => void,
  ): HTMLElement {
    const field = h("select", {}, ...options.map(([value, text]) => h("option", { value }, text)));
    on(field, "change", () => write(field.value));
    return row(name, label, field, read);
  }

  function number(
    name: string,
    label: string,
    read: () => number | null,
    write: (value: number | null) => void,
    step: number,
    least = 0,
  ): HTMLElement {
    const field = h("input", { type: "number", step, min: least, placeholder: "off" });
    on(field, "change", () =>
      write(field.value === "" || !Number.isFinite(Number(field.value)) ? null : Number(field.value)),
    );
    return row(name, label, field, () => {
      const value = read();
      return value == null ? "" : String(Number(value.toPrecision(6)));
    });
  }

  function slider(
    name: string,
    label: string,
    [min, max, step]: readonly [number, number, number],
    read: () => number,
    write: (value: number) => void,
    note: () => string,
  ): HTMLElement {
    const field = h("input", { type: "range", min, max, step });
    on(field, "input", () => write(Number(field.value)));
    return row(name, label, field, () => String(read()), note);
  }

  function check(
    name: string,
    label: string,
    read: () => boolean,
    write: (value: boolean) => void,
  ): HTMLElement {
    const field = h("input", { type: "checkbox" });
    on(field, "change", () => write(field.checked));
    return row(name, label, field, read);
  }

  const group = (title: string, ...rows: (HTMLElement | null)[]): HTMLElement =>
    h("fieldset.group", {}, h("legend", {}, title), ...rows);

  const limits = (): { low: number; high: number } => {
    studio.current.get();
    return studio.range(display());
  };
  /** Limits by hand start from those that are shown. */
  const range = (change: Partial<Display["range"]>): void =>
    settings.show({ percent: null, range: { ...studio.range(settings.display.peek()), ...change } });
  const overlay = (): Overlay => settings.overlay.get();

  const contrast = group(
    "Contrast",
    select(
      "colours",
      "Colours",
      [
        ["grey", "Grey"],
        ["seismic", "Blue – white – red"],
        ["viridis", "Viridis"],
      ],
      () => display().colours,
      (colours) => settings.show({ colours: colours as Display["colours"] }),
    ),
    check(
      "turned",
      "Other polarity",
      () => display().turned,
      (turned) => settings.show({ turned }),
    ),
    check(
      "automatic",
      "From the values",
      () => display().percent != null,
      (on) => (on ? settings.show({ percent: 98 }) : range({})),
    ),
    slider(
      "percent",
      "Share within",
      [80, 100, 0.1],
      () => display().percent ?? 100,
      (percent) => settings.show({ percent }),
      () => (display().percent == null ? "—" : `${display().percent?.toFixed(1)} %`),
    ),
    check(
      "symmetric",
      "Same on both sides of 0",
      () => display().symmetric,
      (symmetric) => settings.show({ symmetric }),
    ),
    number(
      "low",
      "Black at",
      () => limits().low,
      (low) => range(low == null ? {} : { low }),
      (info.high - info.low) / 100 || 1,
      -1e12,
    ),
    number(
      "high",
      "White at",
      () => limits().high,
      (high) => range(high == null ? {} : { high }),
      (info.high - info.low) / 100 || 1,
      -1e12,
    ),
  );

  const laid = group(
    "Over the picture",
    slider(
      "opacity",
      "Opacity",
      [0, 1, 0.05],
      () => overlay().opacity,
      (opacity) => settings.lay({ opacity }),
      () => `${Math.round(overlay().opacity * 100)} %`,
    ),
    check(
      "outline",
      "Outlines only (Q)",
      () => overlay().outline,
      (outline) => settings.lay({ outline }),
    ),
    check(
      "doubt",
      "Doubt instead of classes (D)",
      () => overlay().doubt,
      (doubt) => settings.lay({ doubt }),
    ),
    slider(
      "tolerance",
      "Fill tolerance",
      [0.01, 0.6, 0.01],
      () => settings.hand.get().tolerance,
      (tolerance) => settings.take({ tolerance }),
      () => `${Math.round(settings.hand.get().tolerance * 100)} %`,
    ),
    radar
      ? slider(
          "thickness",
          "Hyperbola's width",
          [1, 60, 1],
          () => settings.hand.get().thickness,
          (thickness) => settings.take({ thickness }),
          () => `${settings.hand.get().thickness} rows`,
        )
      : null,
  );

  const process = (): Display["process"] => display().process;
  const chain = radar
    ? group(
        "Radar",
        number(
          "time_zero",
          "Time-zero (row)",
          () => display().time_zero,
          (row) => settings.show({ time_zero: row ?? info.time_zero }),
          1,
        ),
        number(
          "velocity",
          "Velocity (m/ns)",
          () => display().velocity_m_per_ns,
          (v) => {
            const velocity_m_per_ns = v != null && v >= 0.01 && v <= 0.3 ? v : info.velocity_m_per_ns;
            settings.show({ velocity_m_per_ns });
            if (settings.display.peek().process.velocity_m_per_ns != null)
              settings.process({ velocity_m_per_ns });
          },
          0.005,
          0.01,
        ),
        number(
          "dewow",
          "Dewow (ns)",
          () => process().dewow_ns,
          (dewow_ns) => settings.process({ dewow_ns: dewow_ns === 0 ? null : dewow_ns }),
          0.5,
        ),
        select(
          "background",
          "Background",
          [
            ["none", "Left in"],
            ["mean", "Mean taken out"],
            ["median", "Median taken out"],
          ],
          () => process().background,
          (background) => settings.process({ background: background as Display["process"]["background"] }),
        ),
        number(
          "background_m",
          "… of a window (m)",
          () => process().background_m,
          (background_m) => settings.process({ background_m: background_m === 0 ? null : background_m }),
          0.5,
        ),
        select(
          "gain",
          "Gain",
          [
            ["none", "None"],
            ["sec", "Spreading and loss"],
            ["agc", "Automatic"],
          ],
          () => process().gain,
          (gain) => settings.process({ gain: gain as Display["process"]["gain"] }),
        ),
        slider(
          "sec_power",
          "Spreading",
          [0, 3, 0.1],
          () => process().sec_power,
          (sec_power) => settings.process({ sec_power }),
          () => `t^${process().sec_power.toFixed(1)}`,
        ),
        slider(
          "sec_alpha",
          "Loss",
          [0, 0.5, 0.01],
          () => process().sec_alpha_per_ns,
          (sec_alpha_per_ns) => settings.process({ sec_alpha_per_ns }),
          () => `${process().sec_alpha_per_ns.toFixed(2)} /ns`,
        ),
        slider(
          "agc",
          "Automatic over",
          [0.5, 40, 0.5],
          () => process().agc_ns,
          (agc_ns) => settings.process({ agc_ns }),
          () => `${process().agc_ns} ns`,
        ),
        check(
          "envelope",
          "Envelope",
          () => process().show_envelope,
          (show_envelope) => settings.process({ show_envelope }),
        ),
        check(
          "migrate",
          "Migrate",
          () => process().velocity_m_per_ns != null,
          (on) =>
            settings.process({ velocity_m_per_ns: on ? settings.display.peek().velocity_m_per_ns : null }),
        ),
      )
    : null;

  const reset = button("plain", "reset-display", "Back to how it came", () => settings.reset(), "Reset");
  const element = h(
    "div.panel",
    { role: "group", "aria-label": "Display", "data-al": "display", hidden: true },
    h("p.note", {}, "Changes what is seen, never the data, the masks or what the model learns."),
    contrast,
    laid,
    chain,
    h("div.dialog-foot", {}, reset),
  );
  if (chain != null) {
    const gainRows = [...chain.querySelectorAll<HTMLElement>("[data-al-setting]")];
    scope.effect(() => {
      const { gain, background } = process();
      for (const field of gainRows) {
        const name = field.dataset["alSetting"] ?? "";
        const idle =
          (name.startsWith("sec_") && gain !== "sec") ||
          (name === "agc" && gain !== "agc") ||
          (name === "background_m" && background === "none");
        setAttribute(field, "disabled", idle);
      }
    });
  }
  return element;
}
