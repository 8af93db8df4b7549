// The volume widget in one element: puts the parts together, and ties keys to what they do.

import { IGNORED, UNLABELLED } from "../../core/mask/values";
import { signal } from "../../core/signal";
import { COMMAND_NAMES, TOOLS, VOLUME_KEYS, type VolumeCommand } from "../../core/volume/keys";
import { commandButton } from "../actions";
import { dialogsView } from "../dialogs";
import { h, on, Scope, setAttribute, setText } from "../dom";
import { headerView } from "../header";
import { leave, listenToKeys } from "../keyboard";
import { problemsView } from "../notices";
import { followTheme } from "../theme";
import { isOffered, readoutBar, regionBar, sectionsBar, toolsBar } from "./bars";
import { handView } from "./hand";
import { panelView } from "./panel";
import { planesView } from "./planes";
import { sideView } from "./side";
import { stageView } from "./stage";
import type { Looks, Place, VolumeState } from "./state";
import css from "./style.css?text";

const STEP = 1.25;
const PAN_PX = 60;
const SIZE_STEP = 1.2;

const OF_TOOLS: ReadonlySet<string> = new Set([...TOOLS, "fill-holes", "copy", "interpolate"]);

/** Commands that do not depend on what the task takes. */
function isCommand(name: string): boolean {
  return !OF_TOOLS.has(name);
}

/** Shows the widget in `parent` until `gone`. Its root carries the public attributes, all else lives in a shadow root. */
export function mountVolume(parent: HTMLElement, state: VolumeState, gone: AbortSignal): HTMLElement {
  const { labeller, settings, keys } = state;
  const { info } = settings;
  const scope = new Scope(gone);
  const root = h("div", {
    "data-al": "query",
    "data-al-kind": "volume",
    "data-lm-suppress-shortcuts": "true",
    tabindex: 0,
    role: "group",
  });
  const shadow = root.attachShadow({ mode: "open" });
  const refocus = (): void => root.focus({ preventScroll: true });
  const looks: Looks = {
    hover: signal<Place | null>(null),
    cross: signal({ x: info.columns / 2, y: info.rows / 2 }),
    theme: signal(""),
  };
  const tell = (type: "al:painted" | "al:saved", detail: object): void => {
    root.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  };

  const stage = stageView(state, looks, scope, (ms) =>
    tell("al:painted", { item_id: labeller.item, what: "section", ms }),
  );
  const hand = handView(state, looks, stage, gone, (ms) =>
    tell("al:painted", { item_id: labeller.item, what: "stroke", ms }),
  );
  const panel = panelView(state, scope);
  const dialogs = dialogsView(
    state,
    scope,
    () => {
      if (shadow.activeElement != null) refocus();
    },
    {
      names: COMMAND_NAMES.filter(([name]) => isCommand(name) || isOffered(state, name.replace("-", "_"))),
      keys: VOLUME_KEYS,
      note: "Keys work while the widget has the focus. After a click the wheel turns sections; with Ctrl it zooms, with Shift sideways, with Alt it sizes the brush. Alt and a click set the cross-hair. Some sections are kept aside to measure the model; they look like any other, and what is painted there teaches it nothing.",
      reasons: ["Unreadable", "Nothing of the task to be seen", "Not part of this data"],
      skip: (note) => labeller.skip(note),
    },
  );
  const live = h("div.sr-only", { role: "status", "aria-live": "polite" });
  const said = h("div.hint.said.passing", { "aria-hidden": "true" });
  const focusHint = h("div.hint.at-rest", { "aria-hidden": "true" }, "Click or press Tab to use the keys");
  const placard = h("div.placard", { role: "status" });

  /** A class key judges the region that is asked about, or else it is of the brush. */
  function choose(name: string): void {
    const value = labeller.classes.peek().indexOf(name);
    if (labeller.asking.region.peek() != null) labeller.judge(value);
    else pick(value);
  }

  // A tool of an earlier task may be remembered.
  if (!isOffered(state, settings.hand.peek().tool))
    settings.take({ tool: TOOLS.find((tool) => isOffered(state, tool)) ?? "pan" });

  function pick(value: number): void {
    const { tool } = settings.hand.peek();
    const idle = tool === "eraser" || tool === "pan" || tool === "cross";
    const draws = TOOLS.find((other) => isOffered(state, other)) ?? tool;
    settings.take({ value, tool: idle ? draws : tool });
  }

  const tools = Object.fromEntries(
    TOOLS.map((tool) => [
      tool,
      () => {
        hand.cancel();
        if (isOffered(state, tool)) settings.take({ tool });
      },
    ]),
  ) as Record<(typeof TOOLS)[number], () => void>;
  const actions: Record<VolumeCommand, () => unknown> = {
    ...tools,
    smaller: () => hand.resize(1 / SIZE_STEP),
    larger: () => hand.resize(SIZE_STEP),
    ignore: () => pick(IGNORED),
    "fill-holes": () => isOffered(state, "fill_holes") && hand.fillHoles(),
    copy: () => hand.copy(),
    interpolate: () => hand.interpolate(),
    cancel: () => {
      if (hand.cancel()) return;
      if (!panel.hidden) togglePanel();
      else if (labeller.asking.region.peek() != null) labeller.asking.leaveRegion();
      else leave(root);
    },
    finish: () => {
      if (!hand.close()) labeller.finish(0);
    },
    "finish-open": () => labeller.finish(null),
    nothing: () => {
      // One key for a whole slice; where something is drawn it would be a contradiction.
      const { pixels } = labeller.mask(labeller.index.peek());
      if (pixels.every((pixel) => pixel === UNLABELLED || pixel === 0)) labeller.finish(0);
      else labeller.announcement.set("Something is drawn here: finish with Enter, or undo it first");
    },
    skip: () => labeller.skip(),
    "skip-reason": () => dialogs.skipReason(),
    unsure: () => labeller.unsure(),
    next: () => labeller.asking.choose("section"),
    region: () => labeller.asking.choose("region"),
    undo: () => {
      if (!hand.cancel()) labeller.undo();
    },
    redo: () => labeller.redo(),
    "previous-section": () => labeller.look(labeller.index.peek() - 1),
    "next-section": () => labeller.look(labeller.index.peek() + 1),
    "hide-model": () => labeller.toggleOpinion(),
    doubt: () => settings.lay({ doubt: !settings.overlay.peek().doubt }),
    outline: () => settings.lay({ outline: !settings.overlay.peek().outline }),
    display: togglePanel,
    "zoom-in": () => stage.zoomBy(STEP, STEP),
    "zoom-out": () => stage.zoomBy(1 / STEP, 1 / STEP),
    wider: () => stage.zoomBy(STEP, 1),
    narrower: () => stage.zoomBy(1 / STEP, 1),
    taller: () => stage.zoomBy(1, STEP),
    flatter: () => stage.zoomBy(1, 1 / STEP),
    fit: () => stage.fit(),
    "pan-left": () => stage.panBy(PAN_PX, 0),
    "pan-right": () => stage.panBy(-PAN_PX, 0),
    "pan-up": () => stage.panBy(0, PAN_PX),
    "pan-down": () => stage.panBy(0, -PAN_PX),
    "add-class": () => dialogs.addClass(),
    keys: () => dialogs.keys(),
    help: () => dialogs.help(),
  };
  const run = (command: VolumeCommand): void => void actions[command]();

  function togglePanel(): void {
    panel.hidden = !panel.hidden;
    const toggle = shadow.querySelector('[data-al-action="display"]');
    if (toggle != null) setAttribute(toggle, "aria-expanded", String(!panel.hidden));
  }

  const undo = commandButton(
    state,
    scope,
    run,
    "undo",
    "Undo",
    "Undo the newest stroke or answer, on any section",
  );
  const redo = commandButton(state, scope, run, "redo", "Redo", "Put it back");
  scope.effect(() => {
    const { canUndo, canRedo } = labeller.history.get();
    setAttribute(undo, "aria-disabled", String(!canUndo));
    setAttribute(redo, "aria-disabled", String(!canRedo));
  });

  const shell = h(
    "div.shell",
    {},
    h(
      "div.frame",
      {},
      headerView(state, scope, run),
      toolsBar(state, scope, run),
      h(
        "div.vbody",
        {},
        h(
          "div.vmain",
          {},
          h(
            "div.vpicture",
            {},
            stage.element,
            regionBar(state, scope),
            panel,
            placard,
            said,
            focusHint,
            hand.hint,
          ),
          readoutBar(state, looks, scope),
          planesView(state, looks, scope),
        ),
        sideView(state, scope, run, pick),
      ),
      problemsView(labeller, scope, refocus),
      h(
        "div.vfoot",
        {},
        h("div.undo", { role: "group", "aria-label": "Undo and redo" }, undo, redo),
        sectionsBar(state, looks, scope, run, refocus),
      ),
      live,
    ),
    dialogs.element,
  );
  const style = h("style");
  style.textContent = css;
  shadow.append(style, shell);

  scope.effect(() =>
    setAttribute(
      root,
      "aria-label",
      `Label sections${state.title.get() === "" ? "" : `: ${state.title.get()}`}`,
    ),
  );
  // Pairs and not an object: the build shortens names of properties, and these are the public ones.
  const hooks: [string, () => string | number | null][] = [
    ["state", () => labeller.phase.get()],
    ["phase", () => labeller.status.get()?.state ?? ""],
    ["item", () => (labeller.drawnIndex.get() < 0 ? "" : labeller.idOf(labeller.drawnIndex.get()))],
    ["section", () => labeller.drawnIndex.get()],
    ["unsaved", () => labeller.link.unsaved.get()],
    ["tool-in-hand", () => settings.hand.get().tool],
    [
      "predicted",
      () => {
        labeller.predictions.get();
        return labeller.expected(labeller.index.get())?.strokes ?? null;
      },
    ],
  ];
  for (const [name, read] of hooks) scope.effect(() => setAttribute(root, `data-al-${name}`, read()));
  // Both planes cut through what is asked.
  scope.effect(() => {
    const [, row = 0, column = 0, , rows = 0, columns = 0] = labeller.asking.region.get()?.box ?? [];
    if (rows > 0) looks.cross.set({ x: column + columns / 2, y: row + rows / 2 });
  });
  scope.effect(() => {
    if (labeller.visits.get() > 0) root.scrollIntoView({ block: "nearest" });
  });
  let fading: ReturnType<typeof setTimeout> | undefined;
  scope.effect(() => {
    const text = labeller.announcement.get();
    setText(live, text);
    setText(said, text);
    said.toggleAttribute("data-on", text !== "");
    clearTimeout(fading);
    fading = setTimeout(() => said.removeAttribute("data-on"), 2_500);
  });
  scope.effect(() => {
    const waiting = labeller.drawnIndex.get() !== labeller.index.get();
    const nothing = state.studio.current.get() == null;
    placard.hidden = !waiting || !nothing;
    const offline = labeller.phase.get() === "offline";
    setText(placard, offline ? "The sections come when the cell runs again." : "Loading the section…");
  });
  scope.effect(() => {
    const height = state.height.get();
    if (height > 0) shell.style.setProperty("--height", `${height}px`);
    else shell.style.removeProperty("--height");
  });

  listenToKeys(root, { keymap: () => keys.keymap.peek(), label: choose, run, refocus }, gone);
  // A button that was pressed gives the focus back, so that the keys go on working.
  on(shadow, "click", (event) => {
    const [target] = event.composedPath();
    const hit = target instanceof Element ? target : null;
    if (hit?.closest("dialog, input, select, label") == null && shadow.querySelector("dialog[open]") == null)
      refocus();
  });
  const onSaved = (saved: { event_id: string; ms: number }): void => tell("al:saved", saved);
  labeller.saved.add(onSaved);
  on(gone, "abort", () => {
    clearTimeout(fading);
    labeller.saved.delete(onSaved);
    root.remove();
  });

  parent.append(root);
  followTheme(
    root,
    (theme) => {
      setAttribute(shell, "data-theme", theme);
      looks.theme.set(theme);
    },
    gone,
  );
  return root;
}
