// Keys of the widget. Listens on its root and nowhere else, so that the notebook keeps its own.

import { type Keymap, keyName } from "../core/keymap";
import { on } from "./dom";

export interface KeyTargets<C extends string> {
  keymap(): Keymap<C>;
  label(name: string): void;
  run(command: C): void;
  refocus(): void;
}

export function listenToKeys<C extends string>(
  root: HTMLElement,
  targets: KeyTargets<C>,
  signal: AbortSignal,
): void {
  on(
    root,
    "keydown",
    (event) => {
      const [target] = event.composedPath();
      const inside = target instanceof Element ? target : null;
      if (inside?.closest("dialog") != null) {
        // The box handles its keys itself; the notebook must not see them.
        event.stopPropagation();
        return;
      }
      if (inside instanceof HTMLInputElement) {
        event.stopPropagation();
        if (event.key === "Escape") targets.refocus();
        return;
      }
      const key = keyName(event);
      if (key == null) {
        // A key held down must not label, nor may the notebook take it for its own.
        if (event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) handled(event);
        return;
      }
      // Enter and Space press the button that has the focus.
      if (inside instanceof HTMLButtonElement && (key === "Enter" || key === " ")) {
        event.stopPropagation();
        return;
      }
      const { classes, commands } = targets.keymap();
      const name = classes.get(key);
      const command = commands.get(key);
      if (name != null) targets.label(name);
      else if (command != null) targets.run(command);
      else {
        // "d d" would delete the user's cell. Tab and the like go on to the browser.
        if (key.length === 1 || key === "Enter" || key.startsWith("Arrow")) event.stopPropagation();
        return;
      }
      handled(event);
    },
    { signal },
  );
}

/** Gives the focus, and with it the keys, back to what the widget stands in: a cell of the notebook. */
export function leave(root: HTMLElement): void {
  root.blur();
  root.parentElement?.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
}

function handled(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}
