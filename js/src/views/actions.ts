// The buttons around the classes: skip, unsure, undo, redo.

import { type Command, keyLabel } from "../core/keymap";
import { button, h, type Scope, setAttribute, setText } from "./dom";
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
  const cap = h("kbd", { "aria-hidden": "true" });
  const made = button("action", action, title, () => run(command), h("span", {}, label), cap);
  scope.effect(() => {
    const key = state.keys.keymap.get().commandKey.get(command);
    setText(cap, key == null ? "" : keyLabel(key));
    made.dataset["alKey"] = key ?? "";
  });
  return made;
}

export function actionsView(state: QueryState, scope: Scope, run: (command: Command) => void): HTMLElement {
  const make = (action: string, command: Command, label: string, title: string): HTMLButtonElement =>
    commandButton(state, scope, { action, command, label, title, run });
  return h(
    "div.actions",
    { role: "group", "aria-label": "Other answers" },
    make("skip", "skip", "Skip", "Recorded as skipped"),
    make("skip-reason", "skip-reason", "Skip…", "Skip and say why"),
    make("unsure", "unsure", "Unsure", "Looked, cannot tell"),
  );
}

/** Undo and redo, over all items. */
export function undoView(state: QueryState, scope: Scope, run: (command: Command) => void): HTMLElement {
  const make = (command: "undo" | "redo", label: string, title: string): HTMLButtonElement => {
    const button = commandButton(state, scope, { action: command, command, label, title, run });
    scope.effect(() => {
      const { canUndo, canRedo } = state.labeller.history.get();
      // aria-disabled and not disabled: a button that goes dead under the finger would drop the focus.
      setAttribute(button, "aria-disabled", String(command === "undo" ? !canUndo : !canRedo));
    });
    return button;
  };
  return h(
    "div.undo",
    { role: "group", "aria-label": "Undo and redo" },
    make("undo", "Undo", "Take back the newest answer, or the one shown"),
    make("redo", "Redo", "Give the answer again"),
  );
}
