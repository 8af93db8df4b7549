// Everything that opens over the widget: help, keys, and two small questions.

import type { KeyChoice } from "../core/keychoice";
import { type Command, isAssignable, type KeyPlan, keyLabel, keyName, QUERY_KEYS } from "../core/keymap";
import { button, h, on, type Scope, setText } from "./dom";
import type { FrameState } from "./state";

const COMMAND_NAMES: readonly (readonly [Command, string])[] = [
  ["skip", "Skip"],
  ["skip-reason", "Skip and say why"],
  ["unsure", "Unsure"],
  ["undo", "Undo"],
  ["redo", "Redo"],
  ["back", "Back through your answers"],
  ["forward", "Forward"],
  ["latest", "To the open item"],
  ["give-back", "Keys to the notebook"],
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

/** What differs between widgets: their commands by name, their keys, and what skipping does. */
export interface DialogPlan<C extends string> {
  names: readonly (readonly [C, string])[];
  keys: KeyPlan<C>;
  /** Said below the keys. */
  note: string;
  reasons: readonly string[];
  skip(note: string): void;
}

/** The query widget's. */
export function queryDialogs(skip: (note: string) => void): DialogPlan<Command> {
  return {
    names: COMMAND_NAMES,
    keys: QUERY_KEYS,
    note: "Keys work while the widget has the focus. The wheel zooms after a click; double click fits.",
    reasons: [
      "Unreadable",
      "Belongs to none of the classes",
      "Belongs to several classes",
      "Not part of this data",
    ],
    skip,
  };
}

export interface Dialogs {
  readonly element: HTMLElement;
  help(): void;
  keys(): void;
  skipReason(): void;
  addClass(): void;
}

export function dialogsView<C extends string>(
  state: FrameState & { readonly keys: KeyChoice<C> },
  scope: Scope,
  refocus: () => void,
  plan: DialogPlan<C>,
): Dialogs {
  const element = h("div.dialogs");

  function open(title: string, ...content: Node[]): HTMLDialogElement {
    const close = button("tool", "close", "Close", () => dialog.close(), "×");
    const heading = h("h2", { id: "al-dialog-title" }, title);
    const dialog = h(
      "dialog",
      { "aria-labelledby": heading.id },
      h("div.dialog-head", {}, heading, close),
      ...content,
    );
    on(dialog, "close", () => {
      dialog.remove();
      refocus();
    });
    // A press beside the box closes it.
    on(dialog, "pointerdown", (event) => {
      if (event.target === dialog) dialog.close();
    });
    element.replaceChildren(dialog);
    dialog.showModal();
    on(scope.signal, "abort", () => dialog.remove());
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
    const working = plan.names
      .map(([command, what]) => {
        const keys = plan.keys.commands[command].filter((key) => commands.get(key) === command);
        return [
          command === "pan-left"
            ? ["Shift+ArrowLeft", "Shift+ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown"]
            : keys,
          what,
        ] as const;
      })
      .filter(([keys]) => keys.length > 0);
    open(
      "Keys",
      h(
        "div.help",
        {},
        h(
          "div",
          {},
          h("h3", {}, "Classes"),
          table(
            [...keyOf].map(([name, key]) => [[key], name] as const),
            "Classes",
          ),
        ),
        h("div", {}, h("h3", {}, "Commands"), table(working, "Commands")),
      ),
      h("p.note", {}, plan.note),
    );
  }

  function keys(): void {
    const rows = h("div.key-rows");
    const warning = h("p.note", { role: "status" });
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
          on(input, "keydown", (event) => {
            const key = keyName(event);
            if (key == null || ["Tab", "Escape", "Enter"].includes(event.key)) return;
            event.preventDefault();
            if (!isAssignable(key)) {
              setText(warning, `${keyLabel(key)} cannot be given to a class.`);
              return;
            }
            const command = state.keys.keymap.peek().commands.get(key);
            state.keys.choose(name, key);
            const lost = plan.names.find(([other]) => other === command)?.[1];
            setText(warning, lost == null ? "" : `${keyLabel(key)} no longer works for “${lost}”.`);
            render();
            rows.querySelector<HTMLInputElement>(`[data-al-key-for="${CSS.escape(name)}"]`)?.focus();
          });
          return h("label.key-row", {}, input, h("span.name", {}, name));
        }),
      );
    };
    render();
    const reset = button(
      "action",
      "reset-keys",
      "Back to the first keys",
      () => {
        state.keys.reset();
        setText(warning, "");
        render();
      },
      "Reset",
    );
    open(
      "Change keys",
      h("p.note", {}, "Click a key, then press another. This browser keeps it."),
      rows,
      warning,
      h("div.dialog-foot", {}, reset),
    );
  }

  function ask(
    title: string,
    label: string,
    verb: string,
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
    const warning = h("p.note", { role: "alert" });
    const send = h("button", { type: "submit", class: "action primary", "data-al-action": "submit" }, verb);
    const form = h(
      "form",
      { method: "dialog" },
      h("label.field", {}, h("span", {}, label), input),
      warning,
      h("div.dialog-foot", {}, send),
    );
    if (suggestions.length > 0) {
      form.append(
        h("datalist", { id: "al-suggestions" }, ...suggestions.map((value) => h("option", { value }))),
      );
    }
    const dialog = open(title, form);
    on(form, "submit", (event) => {
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
          plan.skip(note);
        },
        plan.reasons,
      ),
    addClass: () =>
      ask("Add a class", "Name", "Add", (name, failed, close) => {
        if (name === "") return failed("A class needs a name.");
        if (state.labeller.classes.peek().includes(name)) return failed(`There is a class ${name} already.`);
        state.labeller.addClass(name, (refusal) => (refusal == null ? close() : failed(refusal)));
      }),
  };
}
