// Why this item was asked, and what the model thinks of it, unless the annotator would rather not know.

import { type Command, keyLabel } from "../core/keymap";
import { percent } from "../core/text";
import type { Probability } from "../wire";
import { button, h, type Scope, setAttribute, setText } from "./dom";
import { paintAccent } from "./palette";
import type { QueryState } from "./state";

const BARS = 5;

interface Bar {
  row: HTMLElement;
  name: HTMLElement;
  fill: HTMLElement;
  number: HTMLElement;
}

export function whyView(state: QueryState, scope: Scope, run: (command: Command) => void): HTMLElement {
  const { labeller, keys } = state;
  const reason = h("p.reason");
  const strategy = h("span.strategy");
  const bars: Bar[] = Array.from({ length: BARS }, () => {
    const name = h("span.bar-name");
    const fill = h("span.bar-fill");
    const number = h("span.bar-number");
    const row = h("li.bar", {}, name, h("span.bar-track", { "aria-hidden": "true" }, fill), number);
    return { row, name, fill, number };
  });
  const list = h("ul.bars", { "aria-label": "The model's probabilities" }, ...bars.map(({ row }) => row));
  const note = h("p.note");
  const cap = h("kbd", { "aria-hidden": "true" });
  const word = h("span");
  const element = h("section.why", { "aria-label": "Why this item is asked" });
  const toggle = button(
    "plain",
    "hide-model",
    "Show or hide the model's opinion",
    () => run("hide-model"),
    h("span", {}, word, h("span.sr-only", {}, " the model's opinion")),
    cap,
  );

  scope.effect(() => {
    const key = keys.keymap.get().commandKey.get("hide-model");
    setText(cap, key == null ? "" : keyLabel(key));
  });
  scope.effect(() => {
    const visible = labeller.opinion.get();
    const shown = labeller.shown.get();
    const entry = shown?.entry;
    const probabilities = entry?.probabilities ?? [];
    setText(word, visible ? "Hide" : "Show");
    setAttribute(element, "data-empty", entry == null);
    setText(strategy, entry?.strategy ?? "");
    setText(reason, entry?.reason ?? "");
    reason.title = entry?.reason ?? "";
    list.hidden = !visible || probabilities.length === 0;
    setText(
      note,
      entry == null || (visible && probabilities.length > 0)
        ? ""
        : probabilities.length === 0
          ? "The model has no opinion yet."
          : "The model's opinion is hidden.",
    );
    if (!list.hidden) show(probabilities);
  });

  function show(probabilities: readonly Probability[]): void {
    const classes = labeller.classes.peek();
    const sorted = [...probabilities].sort((a, b) => b.p - a.p);
    bars.forEach((bar, i) => {
      const probability = sorted[i];
      bar.row.hidden = probability == null;
      if (probability == null) return;
      setText(bar.name, probability.name);
      bar.name.title = probability.name;
      setText(bar.number, percent(probability.p));
      // A transform and not a width: no layout on the way from the key to the screen.
      bar.fill.style.transform = `scaleX(${Math.min(Math.max(probability.p, 0), 1)})`;
      paintAccent(bar.row, classes.indexOf(probability.name));
    });
  }

  element.append(
    h("div.why-head", {}, h("h3", {}, "Why this one"), strategy),
    reason,
    h("div.why-head", {}, h("h3", {}, "The model thinks"), toggle),
    list,
    note,
  );
  return element;
}
