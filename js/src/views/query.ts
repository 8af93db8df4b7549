// The query widget in one element: puts the parts together, and ties keys to what they do.

import type { Command } from "../core/keymap";
import { actionsView, commandButton } from "./actions";
import { classesView } from "./classes";
import { dialogsView, queryDialogs } from "./dialogs";
import { h, on, Scope, setAttribute, setText } from "./dom";
import { headerView } from "./header";
import { leave, listenToKeys } from "./keyboard";
import { placardView, problemsView } from "./notices";
import { PAN_STEP_PX, pictureTools, pictureView, ZOOM_STEP } from "./picture";
import css from "./query.css?text";
import type { QueryState } from "./state";
import { stripView } from "./strip";
import { followTheme } from "./theme";
import { whyView } from "./why";

/**
 * Shows the widget in `parent` until `gone`.
 *
 * The root carries the public attributes and the focus; everything in it lives in an open shadow root, since the
 * styles of notebook pages reach far.
 */
export function mountQuery(parent: HTMLElement, state: QueryState, gone: AbortSignal): HTMLElement {
  const { labeller, keys } = state;
  const scope = new Scope(gone);
  const root = h("div", {
    "data-al": "query",
    "data-lm-suppress-shortcuts": "true",
    tabindex: 0,
    role: "group",
  });
  const shadow = root.attachShadow({ mode: "open" });
  const refocus = (): void => root.focus({ preventScroll: true });

  const picture = pictureView(state, scope, (item_id, ms) => tell("al:painted", { item_id, ms }));
  const tools = pictureTools(state, picture, scope);
  // A box that closes tells so a little later: the focus may be elsewhere by then, and is not to be fetched back.
  const dialogs = dialogsView(
    state,
    scope,
    () => {
      if (shadow.activeElement != null) refocus();
    },
    queryDialogs((note) => void labeller.skip(note)),
  );
  const label = (name: string): void => {
    if (labeller.label(name)) classes.light(name);
    if (shadow.activeElement != null) refocus();
  };
  const classes = classesView(state, scope, label);
  const live = h("div.sr-only", { role: "status", "aria-live": "polite" });
  const focusHint = h("div.hint.at-rest", { "aria-hidden": "true" }, "Click or press Tab to use the keys");
  const reviewing = h("div.hint.said", { hidden: true });
  const caption = h("div.caption");

  const commands: Record<Command, () => void> = {
    skip: () => void labeller.skip(),
    "skip-reason": () => dialogs.skipReason(),
    unsure: () => void labeller.unsure(),
    undo: () => labeller.undo(),
    redo: () => labeller.redo(),
    back: () => labeller.step(-1),
    forward: () => labeller.step(1),
    latest: () => labeller.open(null),
    "give-back": () => (labeller.shown.peek()?.review ? labeller.open(null) : leave(root)),
    "add-class": () => dialogs.addClass(),
    "hide-model": () => labeller.toggleOpinion(),
    levels: () => tools.toggleLevels(),
    "zoom-in": () => picture.zoom(ZOOM_STEP),
    "zoom-out": () => picture.zoom(1 / ZOOM_STEP),
    fit: () => picture.fit(),
    "pan-left": () => picture.pan(PAN_STEP_PX, 0),
    "pan-right": () => picture.pan(-PAN_STEP_PX, 0),
    "pan-up": () => picture.pan(0, PAN_STEP_PX),
    "pan-down": () => picture.pan(0, -PAN_STEP_PX),
    search: () => void classes.search(),
    keys: () => dialogs.keys(),
    help: () => dialogs.help(),
  };
  const run = (command: Command): void => commands[command]();

  const addClass = commandButton(state, scope, run, "add-class", "+ Add class", "Add a class");
  addClass.className = "plain add-class";

  const shell = h(
    "div.shell",
    {},
    h(
      "div.frame",
      {},
      headerView(state, scope, run),
      h(
        "div.body",
        {},
        h(
          "div.picture",
          {},
          picture.element,
          placardView(state, scope),
          reviewing,
          focusHint,
          h("div.picture-bar", {}, caption, tools.element),
        ),
        h(
          "div.side",
          {},
          classes.element,
          addClass,
          actionsView(state, scope, run),
          whyView(state, scope, run),
        ),
      ),
      problemsView(labeller, scope, refocus),
      stripView(state, scope, run),
      live,
    ),
    dialogs.element,
  );
  const style = h("style");
  style.textContent = css;
  shadow.append(style, shell);

  function tell(type: "al:painted" | "al:saved", detail: object): void {
    root.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  scope.effect(() =>
    setAttribute(
      root,
      "aria-label",
      `Label pictures${state.title.get() === "" ? "" : `: ${state.title.get()}`}`,
    ),
  );
  // Pairs and not an object: the build shortens names of properties, and these are the public ones.
  const hooks: [string, () => string | number][] = [
    ["state", () => labeller.phase.get()],
    ["phase", () => labeller.status.get()?.state ?? ""],
    ["item", () => labeller.onScreen.get()],
    ["unsaved", () => labeller.link.unsaved.get()],
  ];
  for (const [name, read] of hooks) scope.effect(() => setAttribute(root, `data-al-${name}`, read()));
  scope.effect(() => setText(live, labeller.announcement.get()));
  scope.effect(() => {
    const height = state.height.get();
    if (height > 0) shell.style.setProperty("--height", `${height}px`);
    else shell.style.removeProperty("--height");
  });
  scope.effect(() => {
    const shown = labeller.shown.get();
    const size = shown?.picture?.size;
    setText(
      caption,
      shown == null
        ? ""
        : size == null
          ? shown.entry.item_id
          : `${shown.entry.item_id}   ${size.width} × ${size.height}`,
    );
    const review = shown?.review;
    reviewing.hidden = review == null;
    setText(
      reviewing,
      review == null
        ? ""
        : review.kind === "label"
          ? `You said: ${review.value}`
          : `You said: ${review.kind}`,
    );
    shell.toggleAttribute("data-review", review != null);
  });

  listenToKeys(root, { keymap: () => keys.keymap.peek(), label, run, refocus }, gone);
  // A button that was pressed gives the focus back, so that the keys go on working.
  on(shadow, "click", (event) => {
    const [target] = event.composedPath();
    const hit = target instanceof Element ? target : null;
    if (hit?.closest("dialog, input, label") == null && shadow.querySelector("dialog[open]") == null)
      refocus();
  });

  const onSaved = (saved: { event_id: string; ms: number }): void => tell("al:saved", saved);
  labeller.saved.add(onSaved);
  on(gone, "abort", () => {
    labeller.saved.delete(onSaved);
    root.remove();
  });

  parent.append(root);
  followTheme(root, (theme) => setAttribute(shell, "data-theme", theme), gone);
  return root;
}
