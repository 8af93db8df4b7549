// Why this item was asked, and what the model thinks of it, unless the annotator would rather not know.

import { type Command, keyLabel } from "../core/keymap";
import { percent } from "../core/text";
import type { Probability } from "../wire";
import { h, type Scope, setAttribute, setText } from "./dom";
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
  const reason = h("p", { class: "reason" });
  const strategy = h("span", { class: "strategy" });
  const bars: Bar[] = Array.from({ length: BARS }, () => {
    const name = h("span", { class: "bar-name" });
    const fill = h("span", { class: "bar-fill" });
    const number = h("span", { class: "bar-number" });
    const row = h(
      "li",
      { class: "bar" },
      name,
      h("span", { class: "bar-track", "aria-hidden": "true" }, fill),
      number,
    );
    return { row, name, fill, number };
  });
  const list = h(
    "ul",
    { class: "bars", "aria-label": "The model's probabilities" },
    ...bars.map(({ row }) => row),
  );
  const note = h("p", { class: "note" });
  const cap = h("kbd", {});
  const word = h("span", {});
  const toggle = h(
    "button",
    {
      type: "button",
      class: "plain",
      "data-al-action": "hide-model",
      "aria-label": "Show the model's opinion",
      onclick: () => run("hide-model"),
    },
    word,
    cap,
  );

  scope.effect(() => {
    const key = keys.keymap.get().commandKey.get("hide-model");
    setText(cap, key === undefined ? "" : keyLabel(key));
  });
  scope.effect(() => {
    const visible = labeller.opinion.get();
    const shown = labeller.shown.get();
    const entry = shown?.entry;
    const probabilities = entry?.probabilities ?? [];
    setAttribute(toggle, "aria-pressed", String(visible));
    setText(word, visible ? "Hide" : "Show");
    setText(strategy, entry?.strategy ?? "");
    setText(reason, entry?.reason ?? "");
    list.hidden = !visible || probabilities.length === 0;
    setText(
      note,
      entry === undefined || (visible && probabilities.length > 0)
        ? ""
        : probabilities.length === 0
          ? "The model has no opinion of this one yet."
          : "The model's opinion is hidden.",
    );
    if (!list.hidden) show(probabilities);
  });

  function show(probabilities: readonly Probability[]): void {
    const classes = labeller.classes.peek();
    const sorted = [...probabilities].sort((a, b) => b.p - a.p);
    bars.forEach((bar, i) => {
      const probability = sorted[i];
      bar.row.hidden = probability === undefined;
      if (probability === undefined) return;
      setText(bar.name, probability.name);
      bar.name.title = probability.name;
      setText(bar.number, percent(probability.p));
      // A transform and not a width: no layout on the way from the key to the screen.
      bar.fill.style.transform = `scaleX(${Math.min(Math.max(probability.p, 0), 1)})`;
      paintAccent(bar.row, classes.indexOf(probability.name));
    });
  }

  return h(
    "section",
    { class: "why", "aria-label": "Why this item is asked" },
    h("div", { class: "why-head" }, h("h3", {}, "Why this one"), strategy),
    reason,
    h("div", { class: "why-head" }, h("h3", {}, "The model thinks"), toggle),
    list,
    note,
  );
}
