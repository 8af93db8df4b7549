// Everything that opens over the widget: help, keys, and two small questions.

import { COMMAND_KEYS, type Command, isAssignable, keyLabel, keyName } from "../core/keymap";
import { h, type Scope, setText } from "./dom";
import type { QueryState } from "./state";

const COMMAND_NAMES: readonly (readonly [Command, string])[] = [
  ["skip", "Skip"],
  ["skip-reason", "Skip and say why"],
  ["unsure", "Unsure"],
  ["undo", "Undo"],
  ["redo", "Redo"],
  ["back", "Back through your answers"],
  ["forward", "Forward"],
  ["latest", "To the item that is to be answered"],
  ["search", "Search the classes"],
  ["add-class", "Add a class"],
  ["hide-model", "Show or hide the model's opinion"],
  ["levels", "Brightness and contrast"],
  ["zoom-in", "Zoom in"],
  ["zoom-out", "Zoom out"],
  ["fit", "Fit the picture"],
  ["pan-left", "Move the picture"],
  ["keys", "Change keys"],
  ["help", "This help"],
];

export interface Dialogs {
  readonly element: HTMLElement;
  help(): void;
  keys(): void;
  skipReason(): void;
  addClass(): void;
}

export function dialogsView(state: QueryState, scope: Scope, refocus: () => void): Dialogs {
  const element = h("div", { class: "dialogs" });

  function open(title: string, ...content: Node[]): HTMLDialogElement {
    const close = h(
      "button",
      {
        type: "button",
        class: "tool",
        "aria-label": "Close",
        "data-al-action": "close",
        onclick: () => dialog.close(),
      },
      "×",
    );
    const heading = h("h2", { id: "al-dialog-title" }, title);
    const dialog = h(
      "dialog",
      { "aria-labelledby": heading.id },
      h("div", { class: "dialog-head" }, heading, close),
      ...content,
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      refocus();
    });
    // A press beside the box closes it.
    dialog.addEventListener("pointerdown", (event) => {
      if (event.target === dialog) dialog.close();
    });
    element.replaceChildren(dialog);
    dialog.showModal();
    scope.signal.addEventListener("abort", () => dialog.remove());
    return dialog;
  }

  function help(): void {
    const { keyOf, commands } = state.keys.keymap.peek();
    const table = (rows: (readonly [readonly string[], string])[], label: string): HTMLElement =>
      h(
        "table",
        { "aria-label": label },
        h(
          "tbody",
          {},
          ...rows.map(([keys, what]) =>
            h("tr", {}, h("td", {}, ...keys.map((key) => h("kbd", {}, keyLabel(key)))), h("td", {}, what)),
          ),
        ),
      );
    const working = COMMAND_NAMES.map(([command, what]) => {
      const keys = COMMAND_KEYS[command].filter((key) => commands.get(key) === command);
      return [
        command === "pan-left"
          ? ["Shift+ArrowLeft", "Shift+ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown"]
          : keys,
        what,
      ] as const;
    }).filter(([keys]) => keys.length > 0);
    open(
      "Keys",
      h(
        "div",
        { class: "help" },
        h(
          "div",
          {},
          h("h3", {}, "Classes"),
          table(
            [...keyOf].map(([name, key]) => [[key], name] as const),
            "Keys of the classes",
          ),
        ),
        h("div", {}, h("h3", {}, "Commands"), table(working, "Keys of the commands")),
      ),
      h(
        "p",
        { class: "note" },
        "Keys work while the widget has the focus: click it, or press Tab. The wheel zooms after a click on the picture, or with Ctrl; double click fits. Every answer is saved at once.",
      ),
    );
  }

  function keys(): void {
    const rows = h("div", { class: "key-rows" });
    const warning = h("p", { class: "note", role: "status" });
    const render = (): void => {
      const { keyOf } = state.keys.keymap.peek();
      rows.replaceChildren(
        ...state.labeller.classes.peek().map((name) => {
          const input = h("input", {
            type: "text",
            class: "key-input",
            "aria-label": `Key for ${name}`,
            value: keyLabel(keyOf.get(name) ?? ""),
            readonly: true,
            "data-al-key-for": name,
          });
          input.addEventListener("keydown", (event) => {
            const key = keyName(event);
            if (key === null || ["Tab", "Escape", "Enter"].includes(event.key)) return;
            event.preventDefault();
            if (!isAssignable(key)) {
              setText(warning, `${keyLabel(key)} cannot be given to a class.`);
              return;
            }
            const command = state.keys.keymap.peek().commands.get(key);
            state.keys.choose(name, key);
            const lost = COMMAND_NAMES.find(([other]) => other === command)?.[1];
            setText(warning, lost === undefined ? "" : `${keyLabel(key)} no longer works for “${lost}”.`);
            render();
            rows.querySelector<HTMLInputElement>(`[data-al-key-for="${CSS.escape(name)}"]`)?.focus();
          });
          return h("label", { class: "key-row" }, input, h("span", { class: "name" }, name));
        }),
      );
    };
    render();
    const reset = h("button", { type: "button", class: "action", "data-al-action": "reset-keys" }, "Reset");
    reset.addEventListener("click", () => {
      state.keys.reset();
      setText(warning, "");
      render();
    });
    open(
      "Change keys",
      h("p", { class: "note" }, "Click a key, then press the new one. It is kept in this browser."),
      rows,
      warning,
      h("div", { class: "dialog-foot" }, reset),
    );
  }

  function ask(
    title: string,
    label: string,
    button: string,
    submit: (text: string, failed: (why: string) => void, close: () => void) => void,
    suggestions: readonly string[] = [],
  ): void {
    const input = h("input", {
      type: "text",
      maxlength: 200,
      "data-al": "answer-text",
      autocomplete: "off",
      list: suggestions.length > 0 ? "al-suggestions" : null,
    });
    const warning = h("p", { class: "note", role: "alert" });
    const send = h("button", { type: "submit", class: "action primary", "data-al-action": "submit" }, button);
    const form = h(
      "form",
      { method: "dialog" },
      h("label", { class: "field" }, h("span", {}, label), input),
      warning,
      h("div", { class: "dialog-foot" }, send),
    );
    if (suggestions.length > 0) {
      form.append(
        h("datalist", { id: "al-suggestions" }, ...suggestions.map((value) => h("option", { value }))),
      );
    }
    const dialog = open(title, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(
        input.value.trim(),
        (why) => {
          send.disabled = false;
          setText(warning, why);
        },
        () => dialog.close(),
      );
    });
    input.focus();
  }

  return {
    element,
    help,
    keys,
    skipReason: () =>
      ask(
        "Skip because…",
        "Reason (optional)",
        "Skip",
        (note, _failed, close) => {
          close();
          state.labeller.skip(note);
        },
        [
          "Unreadable",
          "Belongs to none of the classes",
          "Belongs to several classes",
          "Not part of this data",
        ],
      ),
    addClass: () =>
      ask("Add a class", "Name", "Add", (name, failed, close) => {
        if (name === "") return failed("A class needs a name.");
        if (state.labeller.classes.peek().includes(name)) return failed(`There is a class ${name} already.`);
        state.labeller.addClass(name, (refusal) => (refusal === null ? close() : failed(refusal)));
      }),
  };
}
