// The classes: buttons while they are few, a list that can be searched when they are many.

import type { KeyChoice } from "../core/keychoice";
import { keyLabel } from "../core/keymap";
import type { ReadSignal } from "../core/signal";
import type { HistoryRow } from "../wire";
import { afterPaint, h, on, type Scope, setAttribute, setText } from "./dom";
import { paintAccent } from "./palette";

/** Beyond this many a search field appears. */
const MANY = 12;
const LISTED_AT_MOST = 200;
const LIT_MS = 160;

/** What can be chosen, and what was. */
export interface Choosing {
  readonly labeller: {
    readonly classes: ReadSignal<readonly string[]>;
    readonly shown: ReadSignal<{ readonly review: Pick<HistoryRow, "kind" | "value"> | null } | null>;
  };
  readonly keys: KeyChoice;
}

export interface ClassesView {
  readonly element: HTMLElement;
  /** Puts the cursor into the search field, if there is one. */
  search(): boolean;
  /** Lights up a class for a moment. Two changes and no animation: the next picture would wait for its frames. */
  light(name: string): void;
}

export function classesView(state: Choosing, scope: Scope, choose: (name: string) => void): ClassesView {
  const { labeller, keys } = state;
  const element = h("div.classes");
  let input: HTMLInputElement | null = null;
  let marked: HTMLElement | null = null;

  const find = (name: string): HTMLElement | undefined =>
    [...element.querySelectorAll<HTMLElement>("[data-al-class]")].find(
      (node) => node.dataset["alClass"] === name,
    );

  function mark(review: Pick<HistoryRow, "kind" | "value"> | null | undefined): void {
    const name = review?.kind === "label" ? review.value : null;
    const next = name == null ? null : (find(name) ?? null);
    if (next === marked) return;
    marked?.removeAttribute("data-chosen");
    next?.setAttribute("data-chosen", "");
    marked = next;
  }

  scope.effect(() => {
    const names = labeller.classes.get();
    const { keyOf } = keys.keymap.get();
    marked = null;
    if (names.length <= MANY) {
      input = null;
      element.replaceChildren(buttons(names, keyOf, choose));
    } else {
      const typed = input?.value ?? "";
      const list = searchList(names, keyOf, choose);
      input = list.input;
      input.value = typed;
      list.filter();
      element.replaceChildren(list.element);
    }
    setAttribute(element, "data-many", names.length > MANY);
    mark(labeller.shown.peek()?.review);
  });
  scope.effect(() => mark(labeller.shown.get()?.review));

  return {
    element,
    search() {
      input?.focus({ preventScroll: true });
      input?.select();
      return input != null;
    },
    light(name) {
      const lit = find(name);
      afterPaint(() => {
        lit?.toggleAttribute("data-lit", true);
        setTimeout(() => lit?.removeAttribute("data-lit"), LIT_MS);
      });
    },
  };
}

function keyCap(key: string | undefined): HTMLElement {
  return h("kbd", { class: key == null ? "no-key" : "" }, key == null ? "" : keyLabel(key));
}

function buttons(
  names: readonly string[],
  keyOf: ReadonlyMap<string, string>,
  choose: (name: string) => void,
): HTMLElement {
  const group = h("div.class-buttons", {
    role: "group",
    "aria-label": "Classes",
    "data-columns": names.length > 6 ? 2 : 1,
  });
  names.forEach((name, index) => {
    const key = keyOf.get(name);
    const button = h(
      "button",
      {
        type: "button",
        class: "class",
        title: name,
        "data-al-class": name,
        "data-al-key": key ?? "",
        "aria-keyshortcuts": key ?? null,
        onclick: () => choose(name),
      },
      keyCap(key),
      h("span.name", {}, name),
    );
    paintAccent(button, index);
    group.append(button);
  });
  return group;
}

interface SearchList {
  element: HTMLElement;
  input: HTMLInputElement;
  filter(): void;
}

function searchList(
  names: readonly string[],
  keyOf: ReadonlyMap<string, string>,
  choose: (name: string) => void,
): SearchList {
  const listId = "al-class-list";
  const list = h("div", { id: listId, class: "class-list", role: "listbox", "aria-label": "Classes" });
  const more = h("div.more", { role: "status" });
  const input = h("input", {
    type: "text",
    class: "search",
    role: "combobox",
    placeholder: `Search ${names.length} classes  (/)`,
    "aria-label": `Search ${names.length} classes`,
    "aria-expanded": "true",
    "aria-autocomplete": "list",
    "aria-controls": listId,
    autocomplete: "off",
    spellcheck: "false",
    "data-al": "search",
  });
  let active = -1;
  let options: HTMLElement[] = [];

  function activate(index: number): void {
    options[active]?.setAttribute("aria-selected", "false");
    active = options.length === 0 ? -1 : (index + options.length) % options.length;
    const option = options[active];
    option?.setAttribute("aria-selected", "true");
    setAttribute(input, "aria-activedescendant", option?.id);
    if (option != null) {
      // Not scrollIntoView: that would scroll the notebook, too.
      const { offsetTop, offsetHeight } = option;
      if (offsetTop < list.scrollTop) list.scrollTop = offsetTop;
      else if (offsetTop + offsetHeight > list.scrollTop + list.clientHeight) {
        list.scrollTop = offsetTop + offsetHeight - list.clientHeight;
      }
    }
  }

  function filter(): void {
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const hits = names
      .map((name, index) => ({ name, index, lower: name.toLowerCase() }))
      .filter(({ lower }) => words.every((word) => lower.includes(word)));
    const [first] = words;
    // What begins with the first word comes first; else the order of the classes.
    if (first != null)
      hits.sort((a, b) => Number(b.lower.startsWith(first)) - Number(a.lower.startsWith(first)));
    options = hits.slice(0, LISTED_AT_MOST).map(({ name, index }) => {
      const key = keyOf.get(name);
      const option = h(
        "div",
        {
          id: `al-class-${index}`,
          class: "class",
          role: "option",
          title: name,
          "aria-selected": "false",
          "data-al-class": name,
          "data-al-key": key ?? "",
          onclick: () => pick(name),
        },
        keyCap(key),
        h("span.name", {}, name),
      );
      paintAccent(option, index);
      return option;
    });
    list.replaceChildren(...options);
    active = -1;
    if (words.length > 0) activate(0);
    else input.removeAttribute("aria-activedescendant");
    const hidden = hits.length - options.length;
    setText(
      more,
      hits.length === 0 ? "No class is named so" : hidden > 0 ? `${hidden} more: type to narrow down` : "",
    );
  }

  function pick(name: string): void {
    input.value = "";
    filter();
    choose(name);
  }

  on(input, "input", filter);
  on(input, "keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") activate(active + 1);
    else if (event.key === "ArrowUp") activate(active <= 0 ? options.length - 1 : active - 1);
    else if (event.key === "Enter") {
      const name = options[active]?.dataset["alClass"];
      if (name != null && !event.repeat) pick(name);
    } else return;
    event.preventDefault();
  });
  filter();
  return { element: h("div.class-search", {}, input, list, more), input, filter };
}
