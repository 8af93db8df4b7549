// The answers so far, newest last, each a way back to its item.

import { type Command, keyLabel } from "../core/keymap";
import * as text from "../core/text";
import type { HistoryRow } from "../wire";
import { undoView } from "./actions";
import { button, h, type Scope, setAttribute } from "./dom";
import { paintAccent } from "./palette";
import type { QueryState } from "./state";

const SHOWN = 40;

export function stripView(state: QueryState, scope: Scope, run: (command: Command) => void): HTMLElement {
  const { labeller } = state;
  const list = h("div.chips", { role: "list", "aria-label": "Your answers, newest last" });
  const chips = new Map<string, { key: string; element: HTMLElement }>();
  const step = (action: "back" | "forward", label: string, glyph: string): HTMLButtonElement =>
    button("tool", action, label, () => run(action), glyph);
  const back = step("back", `Back to the answer before (${keyLabel("ArrowLeft")})`, "‹");
  const forward = step("forward", `Forward (${keyLabel("ArrowRight")})`, "›");
  const now = button("chip.now", "latest", "To the open item (End)", () => run("latest"), "Now");

  function chip(row: HistoryRow): HTMLElement {
    const classes = labeller.classes.peek();
    const index = row.kind === "label" ? classes.indexOf(row.value ?? "") : -1;
    const key = JSON.stringify([row.event_id, index]);
    const old = chips.get(row.item_id);
    if (old?.key === key) return old.element;
    const answer = text.answer(row);
    const made = h(
      "button",
      {
        type: "button",
        class: "chip",
        "data-al-history": row.item_id,
        "data-kind": row.kind,
        title: row.note === "" ? `${answer}: ${row.item_id}` : `${answer} (${row.note}): ${row.item_id}`,
        "aria-label": `${answer}, ${row.item_id}`,
        onclick: () => labeller.open(row.item_id),
      },
      answer,
    );
    paintAccent(made, index);
    const element = h("div", { role: "listitem" }, made);
    chips.set(row.item_id, { key, element });
    return element;
  }

  scope.lazily(
    () => [labeller.history.get(), labeller.shown.get(), labeller.classes.get()],
    () => {
      const { rows } = labeller.history.peek();
      const reviewed = labeller.shown.peek()?.review?.item_id ?? null;
      const at = reviewed == null ? rows.length - 1 : rows.findIndex((row) => row.item_id === reviewed);
      const last = Math.min(rows.length, Math.max(at + SHOWN / 2, SHOWN));
      const from = Math.max(0, reviewed == null ? rows.length - SHOWN : last - SHOWN);
      const visible = rows.slice(from, from + SHOWN).map(chip);
      if (visible.length !== list.children.length || visible.some((node, i) => node !== list.children[i])) {
        list.replaceChildren(...visible);
      }
      let current: HTMLElement | null = null;
      for (const node of list.querySelectorAll<HTMLElement>(".chip")) {
        const here = node.dataset["alHistory"] === reviewed;
        setAttribute(node, "aria-current", here ? "true" : null);
        if (here) current = node;
      }
      setAttribute(now, "aria-current", reviewed == null ? "true" : null);
      if (current == null) list.scrollLeft = list.scrollWidth;
      else list.scrollLeft = current.offsetLeft - list.clientWidth / 2;
      back.setAttribute("aria-disabled", String(rows.length === 0 || (at === 0 && reviewed != null)));
      forward.setAttribute("aria-disabled", String(reviewed == null));
      for (const item of chips.keys()) if (!rows.some((row) => row.item_id === item)) chips.delete(item);
    },
  );

  return h("nav.strip", { "aria-label": "History" }, undoView(state, scope, run), back, list, now, forward);
}
