// Bars around the section: tools, the slider of sections, and the question about a region.

import { CT_WINDOWS, type Range, windowRange } from "../../core/display/levels";
import { keyLabel } from "../../core/keymap";
import { TOOLS, type ToolName, type VolumeCommand } from "../../core/volume/keys";
import { commandButton } from "../actions";
import { button, h, on, type Scope, setAttribute, setText } from "../dom";
import { paintAccent } from "../palette";
import { cleared } from "./canvas";
import type { Looks, VolumeState } from "./state";
import { sample, sectionAt, sides, value } from "./units";

/** Outlines of 20 × 20, drawn with the text's colour. */
const ICONS: Record<ToolName, string> = {
  brush: "M16 3 9 10M9 10c-3 0-3 3-3 4s-1 2-3 2c3 2 8 2 8-3a2 2 0 0 0-2-3z",
  eraser: "M8 16 3 11 11 3l6 6-7 7zM7 7l6 6M8 16h9",
  fill: "M9 3l7 7-6 6-7-7zM3 9h13M17 13c1 2 1 3 0 3s-1-1 0-3z",
  polygon: "M4 15 3 7l7-4 7 5-3 8z",
  lasso: "M10 12c-5 0-7-2-7-4s3-5 7-5 7 2 7 5-4 4-7 4c-3 1-4 2-3 4",
  box: "M3 5h14v10H3z",
  point: "M10 3v5M10 12v5M3 10h5M12 10h5M10 9.5v1",
  hyperbola: "M2 17C6 15 7 4 10 4s4 11 8 13",
  pan: "M10 2v16M2 10h16M10 2 8 4.500M10 2l2 2.500M10 18l-2-2.500M10 18l2-2.500M2 10l2.500-2M2 10l2.500 2M18 10l-2.500-2M18 10l-2.500 2",
  cross: "M10 2v16M2 10h16M10 6a4 4 0 1 0 .01 0",
};

const DRAFTS = [
  ["fill-holes", "fill_holes", "Fill holes", "Fill the holes of the class that is painted"],
  ["copy", "copy", "Copy", "Copy the nearest labelled section as a draft, into free pixels"],
  ["interpolate", "interpolate", "Between", "Fill in between the labelled sections around, into free pixels"],
] as const;

const TITLES: Record<ToolName, string> = {
  brush: "Brush",
  eraser: "Eraser",
  fill: "Fill what looks alike",
  polygon: "Polygon",
  lasso: "Lasso",
  box: "Box",
  point: "Point",
  hyperbola: "Hyperbola: apex, then a limb",
  pan: "Move",
  cross: "Cross-hair",
};

export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Whether a tool makes sense: the task takes it, and a hyperbola is an echo of radar. */
export function isOffered({ settings, tools }: VolumeState, name: string): boolean {
  if (name === "pan" || name === "cross") return true;
  if (name === "hyperbola" && settings.info.flavour !== "radar") return false;
  return tools.length === 0 || tools.includes(name);
}

export function toolsBar(
  state: VolumeState,
  scope: Scope,
  run: (command: VolumeCommand) => void,
): HTMLElement {
  const { settings, keys, labeller } = state;
  const offered = TOOLS.filter((name) => isOffered(state, name));
  const buttons = offered.map((name) => {
    const made = h("button.tool.hand", { type: "button", "data-al-tool": name, onclick: () => run(name) });
    made.append(icon(ICONS[name]));
    scope.effect(() => {
      const key = keys.keymap.get().commandKey.get(name);
      const title = key == null ? TITLES[name] : `${TITLES[name]} (${keyLabel(key)})`;
      made.title = title;
      setAttribute(made, "aria-label", title);
      setAttribute(made, "aria-pressed", String(settings.hand.get().tool === name));
    });
    return made;
  });
  const swatch = h("span.swatch", { "aria-hidden": "true" });
  const size = h("input", {
    type: "range",
    min: 0,
    max: 100,
    step: 1,
    "aria-label": "Size of the brush",
    "data-al-setting": "size",
  });
  const told = h("output.told");
  on(size, "input", () => settings.take({ radius: Number((200 ** (Number(size.value) / 100)).toFixed(1)) }));
  scope.effect(() => {
    const { radius, value } = settings.hand.get();
    size.value = String((100 * Math.log(radius)) / Math.log(200));
    setText(told, `${Math.round(2 * radius)} px`);
    paintAccent(swatch, value < labeller.classes.get().length ? value : -1);
  });
  const small = (command: VolumeCommand, label: string, title: string): HTMLElement => {
    const made = commandButton(state, scope, run, command, label, title);
    made.classList.add("small");
    return made;
  };
  return h(
    "div.tools",
    { role: "toolbar", "aria-label": "Tools" },
    h("div.hands", { role: "group", "aria-label": "Drawing" }, ...buttons),
    h("label.size", {}, swatch, size, told),
    h(
      "div.hands",
      { role: "group", "aria-label": "Drafts" },
      ...DRAFTS.filter(([, tool]) => isOffered(state, tool)).map(([command, , label, title]) =>
        small(command, label, title),
      ),
    ),
    h("span.spring"),
    h(
      "div.hands",
      { role: "group", "aria-label": "Zoom" },
      button("tool", "zoom-out", "Zoom out (−)", () => run("zoom-out"), "−"),
      button("tool", "zoom-in", "Zoom in (+)", () => run("zoom-in"), "+"),
      button("tool", "wider", "Stretch sideways (>)", () => run("wider"), "↔"),
      button("tool", "taller", "Stretch downwards (})", () => run("taller"), "↕"),
      button("tool", "fit", "Fit (F)", () => run("fit"), "Fit"),
      button("tool", "display", "Display (W)", () => run("display"), "◐"),
    ),
  );
}

/** Windows in Hounsfield units; of other volumes none. */
function windowsBar({ settings }: VolumeState, scope: Scope): HTMLElement | null {
  const { info } = settings;
  if (info.flavour !== "ct") return null;
  const windows: [string, string, Range][] = Object.entries(CT_WINDOWS).map(([name, window]) => [
    name,
    `Width ${window.width}, level ${window.level} HU`,
    windowRange(window),
  ]);
  windows.push(["all", "All values", { low: info.low, high: info.high }]);
  return h(
    "div.hands",
    { role: "group", "aria-label": "Windows in Hounsfield units" },
    ...windows.map(([name, title, range]) => {
      const made = button(
        "plain",
        `window-${name}`,
        title,
        () => settings.show({ percent: null, symmetric: false, range }),
        name,
      );
      scope.effect(() => {
        const { percent, range: now } = settings.display.get();
        setAttribute(
          made,
          "aria-pressed",
          String(percent == null && now.low === range.low && now.high === range.high),
        );
      });
      return made;
    }),
  );
}

/** The line below the section: which one it is, and what is under the pointer. */
export function readoutBar(state: VolumeState, looks: Looks, scope: Scope): HTMLElement {
  const { labeller, settings, studio } = state;
  const unit = settings.info.flavour === "ct" ? "HU" : "";
  const name = h("span.caption");
  const under = h("span.under", { "data-al": "under" });
  const busy = h("span.busy", { role: "status" });
  scope.effect(() =>
    setText(name, `${labeller.nameOf(labeller.index.get())} · ${sectionAt(settings, labeller.index.get())}`),
  );
  scope.lazily(
    () => [looks.hover.get(), labeller.record.masks.get(), labeller.index.get(), settings.display.get()],
    () => {
      const place = looks.hover.peek();
      const index = labeller.index.peek();
      const slice = labeller.sections.get(index);
      if (
        place == null ||
        slice == null ||
        place.x < 0 ||
        place.y < 0 ||
        place.x >= slice.columns ||
        place.y >= slice.rows
      ) {
        setText(under, "");
        return;
      }
      const { across, down, deep } = sides(settings);
      const [row, column] = [Math.floor(place.y), Math.floor(place.x)];
      const said = labeller.mask(index).pixels[row * settings.info.columns + column] ?? 255;
      setText(
        under,
        [
          value(across, column + 0.5),
          value(down, row + 0.5),
          deep == null ? "" : `${value(deep, row + 0.5)} deep`,
          `= ${sample(slice.samples[row * slice.columns + column] ?? 0, unit)}`,
          said === 255 ? "" : said === 254 ? "ignored" : (labeller.classes.peek()[said] ?? ""),
        ]
          .filter(Boolean)
          .join("   "),
      );
    },
  );
  scope.effect(() => {
    labeller.sections.arrived.get();
    const { done, total } = labeller.sections.progress;
    setText(
      busy,
      studio.busy.get() ? "Processing…" : done < total ? `Loading ${done} of ${total} sections` : "",
    );
  });
  return h("div.readout-bar", {}, name, windowsBar(state, scope), busy, h("span.spring"), under);
}

/** The slider of sections, with what is finished and what is worth asking above it. */
export function sectionsBar(
  state: VolumeState,
  looks: Looks,
  scope: Scope,
  run: (command: VolumeCommand) => void,
  refocus: () => void,
): HTMLElement {
  const { labeller, settings } = state;
  const { sections } = settings.info;
  const slider = h("input", {
    type: "range",
    min: 0,
    max: Math.max(0, sections - 1),
    step: 1,
    "aria-label": "Section",
    "data-al": "section-slider",
  });
  const told = h("output.told");
  const marks = h("canvas.marks", { "aria-hidden": "true" });
  on(slider, "input", () => labeller.look(Number(slider.value)));
  on(slider, "change", refocus);
  scope.effect(() => {
    const index = labeller.index.get();
    slider.value = String(index);
    setAttribute(slider, "aria-valuetext", sectionAt(settings, index));
    setText(told, `${index + 1} / ${sections}`);
  });
  const context = marks.getContext("2d");
  const draw = (): void => {
    const size = context && cleared(marks, context);
    if (context == null || size == null) return;
    const { wide: clientWidth, high: clientHeight } = size;
    context.fillStyle = getComputedStyle(marks).color;
    const utilities = labeller.asking.utilities.peek();
    const wide = clientWidth / sections;
    for (let i = 0; i < sections; i += 1) {
      const finished = labeller.verdict(i).finished;
      const tall = finished ? 1 : (utilities[i] ?? 0);
      if (tall <= 0 && !labeller.isKnown(i)) continue;
      context.globalAlpha = finished ? 1 : labeller.isKnown(i) ? 0.7 : 0.3;
      const high = Math.max(2, tall * clientHeight);
      context.fillRect(i * wide, clientHeight - high, Math.max(1, wide - 1), high);
    }
  };
  scope.lazily(
    () => [
      labeller.asking.utilities.get(),
      labeller.record.verdicts.get(),
      labeller.history.get(),
      looks.theme.get(),
    ],
    draw,
  );
  const resized = new ResizeObserver(draw);
  resized.observe(marks);
  on(scope.signal, "abort", () => resized.disconnect());
  return h(
    "div.sections-bar",
    { role: "group", "aria-label": "Sections" },
    button("tool", "previous-section", "Section before (←)", () => run("previous-section"), "‹"),
    h("div.track", {}, marks, slider),
    button("tool", "next-section", "Section after (→)", () => run("next-section"), "›"),
    told,
  );
}

/** The question about a doubtful region, or the offer to be asked one. */
export function regionBar(state: VolumeState, scope: Scope): HTMLElement {
  const { labeller, keys, settings } = state;
  const { asking } = labeller;
  const answers = h("div.hands");
  const element = h("div.region-bar", { "data-al": "region", role: "group", "aria-label": "Region" });
  const question = h("strong");
  const why = h("span");
  element.append(h("div.question", {}, question, " ", why), answers);
  const answer = (
    action: string,
    title: string,
    label: string,
    key: string,
    does: () => void,
  ): HTMLButtonElement =>
    button("action", action, title, does, h("span", {}, label), h("kbd", { "aria-hidden": "true" }, key));
  const leave = answer("leave-region", "Leave regions alone", "Not now", "Esc", () => asking.leaveRegion());

  scope.effect(() => {
    const phase = asking.phase.get();
    element.hidden = phase === "";
    element.dataset["alState"] = phase;
    const { box = [], parts = [] } = asking.region.get() ?? {};
    // Not over what is asked.
    const [, row = 0, , , rows = 0] = box;
    element.toggleAttribute("data-low", row + rows / 2 < settings.info.rows / 2);
    setText(why, phase === "question" ? (asking.question?.reason ?? "") : "");
    if (phase === "offer") {
      setText(question, "Regions first, two seconds each?");
      const show = answer("ask-region", "Show one", "Ask me", "R", () => asking.choose("region"));
      answers.replaceChildren(show, leave);
      return;
    }
    if (phase !== "question") {
      setText(question, "Looking for a region…");
      answers.replaceChildren();
      return;
    }
    const { keyOf } = keys.keymap.get();
    const more = parts.length - 1;
    const all = more > 0 ? `, here and on ${more} more section${more > 1 ? "s" : ""}` : "";
    setText(question, `What is outlined in yellow${all}?`);
    answers.replaceChildren(
      ...labeller.classes.get().map((name, i) => {
        const title = i === 0 ? `Clutter: it is ${name}` : `It is ${name}`;
        const made = answer("judge", title, name, keyLabel(keyOf.get(name) ?? ""), () => labeller.judge(i));
        made.dataset["alJudge"] = name;
        return made;
      }),
      answer("judge-unsure", "Nobody can tell: ignored", "Unsure", "U", () => labeller.unsure()),
      leave,
    );
  });
  return element;
}
