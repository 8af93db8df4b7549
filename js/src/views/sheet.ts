// A sheet in one element: the cards, what can be done with them, and the keys.

import type { KeyChoice } from "../core/keychoice";
import { keyLabel, keyName } from "../core/keymap";
import type { SheetDesk } from "../core/sheet";
import { computed, type ReadSignal } from "../core/signal";
import * as text from "../core/text";
import { cardsView } from "./cards";
import { classesView } from "./classes";
import type { ScreenPicture } from "./decode";
import { button, h, on, Scope, setAttribute, setText } from "./dom";
import { leave } from "./keyboard";
import { problemsView } from "./notices";
import css from "./sheet.css?text";
import { followTheme } from "./theme";

export interface SheetState {
  readonly labeller: SheetDesk<ScreenPicture>;
  readonly keys: KeyChoice;
  readonly title: ReadSignal<string>;
  readonly annotator: ReadSignal<string>;
}

/** Shows a sheet in `parent` until `gone`. */
export function mountSheet(parent: HTMLElement, state: SheetState, gone: AbortSignal): HTMLElement {
  const { labeller: desk, keys } = state;
  const review = desk.mode === "review";
  const scope = new Scope(gone);
  const root = h("div", {
    "data-al": desk.mode,
    "data-lm-suppress-shortcuts": "true",
    tabindex: -1,
    role: "group",
  });
  const shadow = root.attachShadow({ mode: "open" });
  const cards = cardsView(desk, scope);
  const refocus = (): void => cards.element.focus({ preventScroll: true });

  const commands: Readonly<Record<string, () => void>> = {
    Enter: () => desk.confirm(),
    " ": () => desk.toggle(desk.cards.active.peek()),
    ArrowLeft: () => cards.move(-1, 0),
    ArrowRight: () => cards.move(1, 0),
    ArrowUp: () => cards.move(0, -1),
    ArrowDown: () => cards.move(0, 1),
    "[": () => desk.step(-1),
    "]": () => desk.step(1),
  };
  const named: Readonly<Record<string, () => void>> = {
    skip: () => desk.answer({ answer: "skip", value: null }),
    unsure: () => desk.answer({ answer: "unsure", value: null }),
    undo: () => desk.undo(),
    redo: () => desk.redo(),
    "give-back": () => leave(root),
  };

  const shown = computed(() => {
    const card = desk.cards.shown
      .get()
      .find(({ card: { item_id } }) => item_id === desk.cards.active.get())?.card;
    const mark = card == null ? null : desk.cards.markOf(card);
    return { review: mark?.answer === "label" ? { kind: "label" as const, value: mark.value } : null };
  });
  const choose = (value: string): void => {
    desk.answer({ answer: "label", value });
    refocus();
  };
  const classes = classesView({ labeller: { classes: desk.classes, shown }, keys }, scope, choose);

  const act = (name: keyof typeof named & string, label: string, title: string): HTMLButtonElement => {
    const cap = h("kbd", { "aria-hidden": "true" });
    const made = button("action", name, title, () => named[name]?.(), h("span", {}, label), cap);
    scope.effect(() => {
      const key = keys.keymap.get().commandKey.get(name as "skip");
      setText(cap, key == null ? "" : keyLabel(key));
    });
    return made;
  };
  const confirmText = h("span");
  const confirm = button(
    "action",
    "confirm",
    review ? "Keep the label of the active card" : "Answer all cards of this sheet",
    () => desk.confirm(),
    confirmText,
    h("kbd", { "aria-hidden": "true" }, "Enter"),
  );
  confirm.classList.add("primary");
  const undo = act("undo", "Undo", "Take back what was given last");
  const redo = act("redo", "Redo", "Give it again");

  const title = h("h2.title");
  const who = h("span.who");
  const saved = h("span.saved", { "data-al": "saved" });
  const left = h("span.labelled", { "data-al": "left" });
  const training = h("span.training", { "data-al": "training" });
  const groups = h("select", { "aria-label": review ? "Page" : "Predicted class", "data-al": "groups" });
  on(groups, "change", () => desk.open(groups.value));
  const placard = h("div.sheet-placard", { role: "status" });
  const live = h("div.sr-only", { role: "status", "aria-live": "polite" });
  const hint = h("div.sheet-hint");

  const body = h("div.sheet-body", {}, placard, cards.element);
  const shell = h(
    "div.shell",
    {},
    h(
      "div.frame",
      {},
      h(
        "div.head",
        {},
        h("div.head-row", {}, title, who, h("span.spring"), saved),
        h("div.head-row.facts", {}, groups, left, h("span.spring"), training),
      ),
      body,
      h(
        "div.sheet-foot",
        {},
        classes.element,
        h(
          "div.sheet-actions",
          { role: "group", "aria-label": "Answers" },
          confirm,
          act("skip", review ? "Skip" : "Leave out", "Record that this one is left out"),
          act("unsure", "Unsure", "Looked, cannot tell"),
          h("span.spring"),
          undo,
          redo,
        ),
        hint,
      ),
      problemsView(desk, scope, refocus),
      live,
    ),
  );
  const style = h("style");
  style.textContent = css;
  shadow.append(style, shell);

  scope.effect(() => setText(title, state.title.get()));
  scope.effect(() => setText(who, state.annotator.get()));
  scope.effect(() => {
    const unsaved = desk.link.unsaved.get();
    setText(saved, text.saved(unsaved, desk.link.durable.get()));
    saved.dataset["state"] = unsaved === 0 ? "saved" : "unsaved";
  });
  scope.effect(() => {
    const status = desk.status.get();
    setText(training, status == null ? "" : text.training(status));
    if (status != null) training.dataset["state"] = status.training;
  });
  scope.effect(() => {
    const name = desk.name.get();
    groups.replaceChildren(
      ...desk.groups
        .get()
        .map((group) =>
          h(
            "option",
            { value: group.name },
            review ? group.name : `${text.isolated(group.name)} (${group.n.toLocaleString("en-US")} open)`,
          ),
        ),
    );
    groups.value = name;
    groups.hidden = groups.options.length < (review ? 2 : 1);
  });
  scope.effect(() => {
    const n = desk.left.get();
    setText(
      left,
      review
        ? `${text.count(n, "item")} in question`
        : n > 0
          ? `${text.count(n, "open item")} with a prediction`
          : "",
    );
  });
  scope.effect(() => {
    const all = desk.cards.shown.get();
    const marks = desk.cards.marks.get();
    const wrong = all.filter(({ card }) => marks.has(card.item_id)).length;
    const done = desk.cards.done.get();
    const open = all.filter(({ card }) => !done.has(card.item_id)).length;
    const here = all.find(({ card: { item_id } }) => item_id === desk.cards.active.get())?.card;
    setText(
      confirmText,
      review
        ? open === 0
          ? "Next sheet"
          : `Keep ${here == null ? "it" : here.proposed}`
        : `Confirm ${all.length - wrong}${desk.name.get() === "" ? "" : ` as ${text.isolated(desk.name.get())}`}${wrong > 0 ? `, ${wrong} otherwise` : ""}`,
    );
    setAttribute(confirm, "aria-disabled", String(all.length === 0));
    // The next sheet takes the place of this one: nothing below may jump in between.
    body.style.minHeight = all.length === 0 && body.clientHeight > 0 ? `${body.clientHeight}px` : "";
    const message = desk.message.get();
    placard.hidden = all.length > 0;
    setText(
      placard,
      message !== "" ? message : desk.phase.get() === "offline" ? "" : "Waiting for the pictures…",
    );
    const how = review
      ? "Arrows move. A class key answers the marked card. Enter keeps its label."
      : `Arrows move, Space or a click marks a wrong one${desk.classes.get().length > 2 ? ", a class key says what it is" : ""}. Enter confirms all.`;
    const others = desk.groups.get().length > 1 ? ` [ ] other ${review ? "page" : "class"}.` : "";
    setText(hint, all.length === 0 ? "" : how + others);
  });
  scope.effect(() => {
    setAttribute(undo, "aria-disabled", String(!desk.canUndo.get()));
    setAttribute(redo, "aria-disabled", String(!desk.canRedo.get()));
  });
  scope.effect(() => setText(live, desk.announcement.get()));
  // Pairs and not an object: the build shortens names of properties, and these are the public ones.
  const hooks: [string, () => string | number][] = [
    ["state", () => desk.phase.get()],
    ["item", () => desk.cards.active.get()],
    ["unsaved", () => desk.link.unsaved.get()],
    ["group", () => desk.name.get()],
    ["cards", () => desk.cards.shown.get().length],
  ];
  for (const [name, read] of hooks) scope.effect(() => setAttribute(root, `data-al-${name}`, read()));
  scope.effect(() =>
    setAttribute(
      root,
      "aria-label",
      `${review ? "Review labels" : "Confirm predictions"}: ${state.title.get()}`,
    ),
  );

  on(
    root,
    "keydown",
    (event) => {
      const [target] = event.composedPath();
      if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) {
        event.stopPropagation();
        if (event.key === "Escape") refocus();
        return;
      }
      const key = keyName(event);
      if (key == null) {
        // A key held down moves on, but never answers.
        if (event.repeat && event.key.startsWith("Arrow")) commands[event.key]?.();
        if (event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) handled(event);
        return;
      }
      if (target instanceof HTMLButtonElement && (key === "Enter" || key === " ")) {
        event.stopPropagation();
        return;
      }
      const { classes: byKey, commands: ofQuery } = keys.keymap.peek();
      const name = byKey.get(key);
      const run = commands[key] ?? named[ofQuery.get(key) ?? ""];
      if (name != null) choose(name);
      else if (run != null) run();
      else {
        // "d d" would delete the user's cell. Tab and the like go on to the browser.
        if (key.length === 1) event.stopPropagation();
        return;
      }
      handled(event);
    },
    { signal: gone },
  );
  // A button that was pressed gives the focus back, so that the keys go on working.
  on(shadow, "click", (event) => {
    const [target] = event.composedPath();
    if (!(target instanceof Element) || target.closest("input, select, label") == null) refocus();
  });
  on(root, "focus", () => {
    if (shadow.activeElement == null) refocus();
  });

  const onSaved = (event: { event_id: string; ms: number }): void =>
    void root.dispatchEvent(new CustomEvent("al:saved", { detail: event, bubbles: true, composed: true }));
  desk.saved.add(onSaved);
  on(gone, "abort", () => {
    desk.saved.delete(onSaved);
    root.remove();
  });
  parent.append(root);
  followTheme(root, (theme) => setAttribute(shell, "data-theme", theme), gone);
  return root;
}

function handled(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}
