// The buttons around an answer: skip, unsure, undo, redo.

import { type Command, keyLabel } from "../core/keymap";
import { h, type Scope, setText } from "./dom";
import type { QueryState } from "./state";

/** A button for a command that shows its key. */
export function commandButton(
  state: QueryState,
  scope: Scope,
  {
    action,
    command,
    label,
    title,
    run,
  }: { action: string; command: Command; label: string; title: string; run: (c: Command) => void },
): HTMLButtonElement {
  const cap = h("kbd", {});
  const button = h(
    "button",
    { type: "button", class: "action", "data-al-action": action, title, onclick: () => run(command) },
    h("span", {}, label),
    cap,
  );
  scope.effect(() => {
    const key = state.keys.keymap.get().commandKey.get(command);
    setText(cap, key === undefined ? "" : keyLabel(key));
    button.dataset["alKey"] = key ?? "";
  });
  return button;
}

export function actionsView(state: QueryState, scope: Scope, run: (command: Command) => void): HTMLElement {
  const make = (action: string, command: Command, label: string, title: string): HTMLButtonElement =>
    commandButton(state, scope, { action, command, label, title, run });
  const undo = make("undo", "undo", "Undo", "Take back the newest answer, or the one you look at");
  const redo = make("redo", "redo", "Redo", "Give the answer again that was taken back");
  scope.effect(() => {
    const { canUndo, canRedo } = state.labeller.history.get();
    // aria-disabled and not disabled: a button that goes dead under the finger would drop the focus.
    undo.setAttribute("aria-disabled", String(!canUndo));
    redo.setAttribute("aria-disabled", String(!canRedo));
  });
  return h(
    "div",
    { class: "actions", role: "group", "aria-label": "Actions" },
    make("skip", "skip", "Skip", "Leave this item; it is recorded as skipped"),
    make("skip-reason", "skip-reason", "Skip because…", "Skip and say why"),
    make("unsure", "unsure", "Unsure", "I have looked and cannot tell"),
    make("add-class", "add-class", "Add class", "Add a class"),
    undo,
    redo,
  );
}
