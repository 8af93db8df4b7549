// The cards of a sheet: small pictures in a grid, each with what it is taken for and what was said of it.

import type { Shown } from "../core/cards";
import type { Mark } from "../core/marks";
import { proposal, spoken } from "../core/marks";
import { AUTO_LEVELS } from "../core/pixels";
import type { SheetDesk } from "../core/sheet";
import { isolated, percent } from "../core/text";
import type { Card, Said } from "../sheet-wire";
import type { ScreenPicture } from "./decode";
import { h, on, type Scope, setAttribute, setText } from "./dom";
import { paintAccent } from "./palette";

/** Pixels of a thumbnail's longer side; smaller pictures are scaled up with hard edges. */
const SIDE = 320;
const CRISP_BELOW = 128;

export interface CardsView {
  readonly element: HTMLElement;
  /** Moves the active card, by one or by a row. */
  move(dx: -1 | 0 | 1, dy: -1 | 0 | 1): void;
}

interface Made {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly answer: HTMLElement;
  readonly words: HTMLElement;
  drawn: ScreenPicture | null;
  card: Card | null;
}

export function cardsView(desk: SheetDesk<ScreenPicture>, scope: Scope): CardsView {
  const review = desk.mode === "review";
  const element = h("div.cards", {
    role: "listbox",
    tabindex: 0,
    "aria-multiselectable": "true",
    "aria-label": review ? "Items in question, worst first" : "Items to confirm, most certain first",
    "data-mode": desk.mode,
  });
  const made = new Map<string, Made>();

  function make(itemId: string): Made {
    const canvas = h("canvas", { class: "thumb", "aria-hidden": "true" });
    const answer = h("div.card-answer");
    const words = h("div.card-words");
    const option = h(
      "div.card",
      {
        id: `al-card-${made.size}-${Math.random().toString(36).slice(2)}`,
        role: "option",
        "aria-selected": "false",
        "data-al-card": itemId,
        title: itemId,
        onclick: () => {
          desk.cards.activate(itemId);
          desk.toggle(itemId);
        },
      },
      h("div.thumb-box", {}, canvas),
      answer,
      words,
    );
    const card = { element: option, canvas, answer, words, drawn: null, card: null };
    made.set(itemId, card);
    return card;
  }

  scope.effect(() => {
    const shown = desk.cards.shown.get();
    const ids = new Set(shown.map(({ card }) => card.item_id));
    for (const id of made.keys()) if (!ids.has(id)) made.delete(id);
    const nodes = shown.map(({ card }) => (made.get(card.item_id) ?? make(card.item_id)).element);
    if (nodes.length !== element.children.length || nodes.some((node, i) => node !== element.children[i]))
      element.replaceChildren(...nodes);
    for (const one of shown) fill(one);
  });

  function fill({ card, picture }: Shown<ScreenPicture>): void {
    const at = made.get(card.item_id);
    if (at == null) return;
    if (picture !== at.drawn && picture != null) draw(at, picture, card.item_id);
    if (card !== at.card) {
      at.card = card;
      at.words.replaceChildren(...(review ? wordsOf(card) : []));
    }
  }

  function draw(at: Made, picture: ScreenPicture, itemId: string): void {
    const { width, height } = picture.size;
    const scale = Math.min(1, SIDE / Math.max(width, height));
    at.canvas.width = Math.max(1, Math.round(width * scale));
    at.canvas.height = Math.max(1, Math.round(height * scale));
    at.canvas.toggleAttribute("data-crisp", Math.max(width, height) < CRISP_BELOW);
    const context = at.canvas.getContext("2d");
    if (context != null) context.imageSmoothingQuality = "high";
    context?.drawImage(picture.source(AUTO_LEVELS), 0, 0, at.canvas.width, at.canvas.height);
    at.drawn = picture;
    desk.cards.drawn(itemId);
  }

  // What is marked, and where the cursor is.
  scope.effect(() => {
    const active = desk.cards.active.get();
    const classes = desk.classes.get();
    const done = desk.cards.done.get();
    let current: HTMLElement | null = null;
    for (const { card } of desk.cards.shown.get()) {
      const at = made.get(card.item_id);
      if (at == null) continue;
      const mark = desk.cards.markOf(card);
      const differs = mark.answer !== "label" || mark.value !== card.proposed;
      const isDone = done.has(card.item_id);
      const here = card.item_id === active;
      if (here) current = at.element;
      setAttribute(at.element, "aria-selected", String(differs || isDone));
      setAttribute(at.element, "data-active", here);
      setAttribute(at.element, "data-answer", differs || isDone ? mark.answer : null);
      setAttribute(at.element, "data-done", isDone);
      const said = labelOf(card, mark, isDone);
      setText(at.answer, said);
      const index = mark.answer === "label" ? classes.indexOf(mark.value ?? "") : -1;
      paintAccent(at.answer, index);
      const others = review ? `. ${card.said.map(sentence).join(", ")}. ${card.reason}` : "";
      setAttribute(at.element, "aria-label", `${card.item_id}: ${said}${others}`);
    }
    setAttribute(element, "aria-activedescendant", current?.id);
    if (current != null) keepInSight(current);
  });

  function labelOf(card: Card, mark: Mark, isDone: boolean): string {
    if (isDone) return `✓ ${spoken(mark)}`;
    if (mark.answer !== "label" || mark.value !== proposal(card).value) return `✗ ${spoken(mark)}`;
    const p = card.probabilities.find(({ name }) => name === card.proposed)?.p;
    return p == null || review ? card.proposed : `${isolated(card.proposed)} ${percent(p)}`;
  }

  /** Scrolls the page, not the notebook's cell, and only as far as needed. */
  function keepInSight(card: HTMLElement): void {
    const root = element.getRootNode() as ShadowRoot;
    if (root.activeElement === element) card.scrollIntoView?.({ block: "nearest" });
  }

  on(element, "focus", () => {
    const [first] = desk.cards.shown.peek();
    if (desk.cards.active.peek() === "" && first != null) desk.cards.activate(first.card.item_id);
  });

  return {
    element,
    move(dx, dy) {
      const ids = desk.cards.shown.peek().map(({ card }) => card.item_id);
      const at = ids.indexOf(desk.cards.active.peek());
      const columns = getComputedStyle(element).gridTemplateColumns.split(" ").length;
      const to = at + dx + dy * columns;
      const next = ids[at < 0 ? 0 : to];
      if (next != null) desk.cards.activate(next);
    },
  };
}

function sentence({ annotator, mine, kind, value }: Said): string {
  return `${mine ? "you" : annotator} said ${kind === "label" ? value : kind === "skip" ? "nothing (skipped)" : kind}`;
}

/** Who said what, what the model thinks, and why the item is here. */
function wordsOf(card: Card): HTMLElement[] {
  const row = (who: string, what: string): HTMLElement =>
    h(
      "div.said-row",
      {},
      h("span.said-who", { title: who }, who),
      h("span.said-what", { title: what }, what),
    );
  const said = card.said.map(({ annotator, mine, kind, value }) =>
    row(
      mine ? `${isolated(annotator)} (you)` : annotator,
      kind === "label" ? (value ?? "") : kind === "skip" ? "skipped" : kind,
    ),
  );
  const [best] = card.probabilities;
  const model = best == null ? [] : [row("model", `${isolated(best.name)} ${percent(best.p)}`)];
  return [...said, ...model, h("div.card-why", {}, card.reason)];
}
