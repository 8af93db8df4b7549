// Beside the section: what is painted, what can be said of it, and why it is asked.

import { keyLabel } from "../../core/keymap";
import { IGNORED } from "../../core/mask/values";
import type { VolumeCommand } from "../../core/volume/keys";
import { commandButton } from "../actions";
import { button, h, type Scope, setAttribute, setText } from "../dom";
import { paintAccent } from "../palette";
import { icon } from "./bars";
import type { VolumeState } from "./state";
import { sectionAt } from "./units";

const LOCKED = "M5 9h10v8H5zM7 9V6a3 3 0 0 1 6 0v3";
const UNLOCKED = "M5 9h10v8H5zM7 9V5a3 3 0 0 1 6-1";

export function sideView(
  state: VolumeState,
  scope: Scope,
  run: (command: VolumeCommand) => void,
  pick: (value: number) => void,
): HTMLElement {
  const { labeller, settings, keys } = state;
  const command = (name: VolumeCommand, label: string, title: string): HTMLButtonElement =>
    commandButton(state, scope, run, name, label, title);

  const ignore = command("ignore", "Ignore", "Paint what is to be left out of training and of figures");
  const classes = h("div.class-rows", { role: "group", "aria-label": "Classes" });
  scope.effect(() => {
    const names = labeller.classes.get();
    const { keyOf } = keys.keymap.get();
    classes.replaceChildren(...names.map((name, i) => classRow(name, i, keyOf.get(name) ?? "")));
  });
  scope.effect(() => {
    labeller.classes.get();
    keys.keymap.get();
    const { value } = settings.hand.get();
    const locked = settings.locked.get();
    for (const row of classes.children) {
      const i = Number((row as HTMLElement).dataset["value"]);
      const [name, lock] = row.children;
      if (name != null) setAttribute(name, "aria-pressed", String(i === value));
      if (lock == null) continue;
      setAttribute(lock, "aria-pressed", String(locked.has(i)));
      lock.replaceChildren(icon(locked.has(i) ? LOCKED : UNLOCKED));
    }
    setAttribute(ignore, "aria-pressed", String(value === IGNORED));
  });

  function classRow(name: string, i: number, key: string): HTMLElement {
    const brush = h(
      "button.class",
      {
        type: "button",
        title: name,
        "data-al-class": name,
        "data-al-key": key,
        "aria-pressed": "false",
        onclick: () => pick(i),
      },
      h("kbd", { class: key === "" ? "no-key" : "", "aria-hidden": "true" }, keyLabel(key)),
      h("span.name", {}, name),
    );
    paintAccent(brush, i);
    const lock = button("tool", "lock", `Lock ${name}: no stroke changes it`, () => settings.lock(i), "");
    lock.dataset["alLock"] = name;
    return h("div.class-row", { "data-value": i }, brush, lock);
  }

  const addClass = command("add-class", "+ Add class", "Add a class");
  addClass.className = "plain add-class";

  const first = h("span.rest-name");
  scope.effect(() => setText(first, labeller.classes.get()[0] ?? ""));
  const finish = command("finish", "Finish", "Done: what is not labelled is of the first class");
  finish.classList.add("primary");
  const nothing = command("nothing", "Nothing here", "All of the section is of the first class");

  const verdict = h("p.verdict", { role: "status" });
  scope.effect(() => {
    labeller.record.verdicts.get();
    labeller.history.get();
    const { finished, rest, answer, measures } = labeller.verdict(labeller.index.get());
    const name = rest == null ? "" : `, the rest is ${labeller.classes.get()[rest] ?? rest}`;
    setText(
      verdict,
      finished
        ? `Finished${name}${measures ? "; kept aside to measure the model" : ""}`
        : answer === ""
          ? "Open"
          : answer === "skip"
            ? "Skipped"
            : "Unsure",
    );
    setAttribute(verdict, "data-finished", finished);
  });
  const [section, region] = [
    command("next", "Next section", "Ask about sections: to the one most worth the time"),
    command("region", "Next region", "Ask about regions: to the most doubtful one, to be judged"),
  ];
  scope.effect(() => {
    const regions = labeller.asking.chosen.get() === "region";
    setAttribute(section, "aria-pressed", String(!regions));
    setAttribute(region, "aria-pressed", String(regions));
    // While a question is open the keys are its answers'.
    setAttribute(classes, "data-asked", labeller.asking.phase.get() === "question");
  });
  const reason = h("p.why-text");
  scope.effect(() => {
    const proposal = labeller.asking.proposal.get();
    const index = labeller.index.get();
    setText(
      reason,
      // Of a region its own bar speaks.
      proposal == null || labeller.asking.region.get() != null
        ? ""
        : proposal.index === index
          ? `Asked here: ${proposal.reason}`
          : `Asked next: ${labeller.nameOf(proposal.index)}, ${sectionAt(settings, proposal.index)}. ${proposal.reason}`,
    );
  });

  const model = h("p.note");
  scope.effect(() => {
    labeller.predictions.get();
    const known = labeller.expected(labeller.index.get());
    const shown = labeller.opinion.get();
    const status = labeller.status.get();
    const cold = status?.state === "cold" ? status.message : "";
    setText(
      model,
      known == null
        ? cold || "Nothing is expected of this section yet"
        : shown
          ? `Expected in round ${known.round}`
          : "Hidden",
    );
  });
  const hide = command("hide-model", "Expected", "Show or hide what the model expects");
  scope.effect(() => setAttribute(hide, "aria-pressed", String(labeller.opinion.get())));
  const doubt = command("doubt", "Doubt", "Show where the model doubts instead");
  const outline = command("outline", "Outlines", "Outlines only");
  scope.effect(() => {
    const overlay = settings.overlay.get();
    setAttribute(doubt, "aria-pressed", String(overlay.doubt));
    setAttribute(outline, "aria-pressed", String(overlay.outline));
  });

  return h(
    "div.vside",
    {},
    h("section.block", { "aria-label": "Paint" }, classes, h("div.pair", {}, ignore, addClass)),
    h(
      "section.block",
      { "aria-label": "Section" },
      verdict,
      h(
        "div.pair",
        {},
        finish,
        nothing,
        command("skip", "Skip", "Recorded as skipped"),
        command("unsure", "Unsure", "Looked, cannot tell"),
      ),
    ),
    h("section.block", { "aria-label": "Next" }, h("div.pair", {}, section, region), reason),
    h("section.block", { "aria-label": "Model" }, h("div.pair", {}, hide, doubt, outline), model),
  );
}
