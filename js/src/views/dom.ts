// Small things every view needs. Text is always text: nothing here parses HTML.

import { effect } from "../core/signal";

type Attributes = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

/**
 * Makes an element: `h("div.bar", attributes, …children)`. `on…` attributes are listeners; true is an empty attribute;
 * false, null and undefined are none.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  spec: K | `${K}.${string}`,
  attributes: Attributes = {},
  ...children: (Node | string | null)[]
): HTMLElementTagNameMap[K] {
  const [tag = "", ...classes] = spec.split(".");
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else setAttribute(element, name, value);
  }
  for (const child of children) if (child != null) element.append(child);
  return element as HTMLElementTagNameMap[K];
}

/** A button that a script or a test finds by what it does. */
export function button(
  look: "tool" | "plain" | "action" | "chip.now",
  action: string,
  title: string,
  run: () => void,
  ...children: (Node | string)[]
): HTMLButtonElement {
  const made = h(
    `button.${look}`,
    { type: "button", "data-al-action": action, title, onclick: run },
    ...children,
  );
  // A glyph says nothing when it is read out.
  if (look === "tool") made.setAttribute("aria-label", title);
  return made;
}

/** Listens; shorter than the method, which is used everywhere. */
export function on<K extends keyof HTMLElementEventMap>(
  target: EventTarget,
  type: K,
  listener: (event: HTMLElementEventMap[K]) => void,
  options?: AddEventListenerOptions,
): void {
  target.addEventListener(type, listener as EventListener, options);
}

export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | null | undefined,
): void {
  if (value === false || value == null) {
    element.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Sets text only when it is different: unchanged text must not cost a layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Ties effects to the life of a view. */
export class Scope {
  constructor(readonly signal: AbortSignal) {}

  effect(body: () => void): void {
    const stop = effect(body);
    on(this.signal, "abort", stop);
  }

  /**
   * Like `effect`, but at most once a frame and after it was painted: for all that may be a frame late.
   * `read` reads signals at once, `apply` touches the page later.
   */
  lazily(read: () => void, apply: () => void): void {
    let waiting = false;
    let first = true;
    this.effect(() => {
      read();
      if (first) {
        first = false;
        apply();
      } else if (!waiting) {
        waiting = true;
        afterPaint(() => {
          waiting = false;
          if (!this.signal.aborted) apply();
        });
      }
    });
  }
}

/** Runs after the next frame is on the screen, or soon where no frames are drawn (a hidden tab). */
export function afterPaint(run: () => void): void {
  let done = false;
  const once = (): void => {
    if (done) return;
    done = true;
    run();
  };
  requestAnimationFrame(() => {
    // A task after the frame callback runs when the frame was handed to the screen.
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      once();
    };
    channel.port2.postMessage(null);
  });
  setTimeout(once, 250);
}
