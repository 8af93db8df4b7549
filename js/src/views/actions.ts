// The buttons around the classes: skip, unsure, undo, redo.

import type { KeyChoice } from "../core/keychoice";
import { type Command, keyLabel } from "../core/keymap";
import { button, h, type Scope, setAttribute, setText } from "./dom";
import type { QueryState } from "./state";

/** A button for a command that shows its key. */
export function commandButton<C extends string>(
  state: { readonly keys: KeyChoice<C> },
  scope: Scope,
  run: (command: C) => void,
  command: C,
  label: string,
  title: string,
): HTMLButtonElement {
  const cap = h("kbd", { "aria-hidden": "true" });
  const made = button("action", command, title, () => run(command), h("span", {}, label), cap);
  scope.effect(() => {
    const key = state.keys.keymap.get().commandKey.get(command);
    setText(cap, key == null ? "" : keyLabel(key));
    made.dataset["alKey"] = key ?? "";
  });
  return made;
}

export function actionsView(state: QueryState, scope: Scope, run: (command: Command) => void): HTMLElement {
  return h(
    "div.actions",
    { role: "group", "aria-label": "Other answers" },
    commandButton(state, scope, run, "skip", "Skip", "Recorded as skipped"),
    commandButton(state, scope, run, "skip-reason", "Skip…", "Skip and say why"),
    commandButton(state, scope, run, "unsure", "Unsure", "Looked, cannot tell"),
  );
}

/** Undo and redo, over all items. */
export function undoView(state: QueryState, scope: Scope, run: (command: Command) => void): HTMLElement {
  const undo = commandButton(state, scope, run, "undo", "Undo", "Undo the newest answer, or the one shown");
  const redo = commandButton(state, scope, run, "redo", "Redo", "Answer again");
  scope.effect(() => {
    const { canUndo, canRedo } = state.labeller.history.get();
    // aria-disabled and not disabled: a button that goes dead under the finger would drop the focus.
    setAttribute(undo, "aria-disabled", String(!canUndo));
    setAttribute(redo, "aria-disabled", String(!canRedo));
  });
  return h("div.undo", { role: "group", "aria-label": "Undo and redo" }, undo, redo);
}
