// What the made-up kernels share: a model like anywidget's, events that are kept once, replies that come after a while.

export class FakeLine {
  /** @param {object} traits what the widget is told at first, beside what all widgets are */
  constructor(options, classes, traits) {
    this.options = options;
    this.classes = classes;
    this.events = new Map();
    this.handlers = new Map();
    this.rev = 0;
    this.alive = true;
    this.status = "idle";
    this.traits = {
      store_id: "harness",
      annotator: "ann",
      classes,
      class_keys: {},
      show_model: true,
      height: 0,
      ...traits,
    };
    const line = this;
    this.model = {
      get: (name) => this.traits[name],
      set() {},
      save_changes() {},
      on: (name, callback) => this.handlers.set(name, [...(this.handlers.get(name) ?? []), callback]),
      off: (name, callback) =>
        this.handlers.set(
          name,
          (this.handlers.get(name) ?? []).filter((other) => other !== callback),
        ),
      send: (message) => this.receive(structuredClone(message)),
      widget_manager: {
        kernel: {
          get status() {
            return line.status;
          },
          connectionStatus: "connected",
          isDisposed: false,
        },
      },
    };
  }

  /** The kernel dies: nothing comes back any more. */
  die() {
    this.alive = false;
    this.status = "dead";
  }

  push(content, buffers = []) {
    for (const callback of this.handlers.get("msg:custom") ?? []) callback(structuredClone(content), buffers);
  }

  receive(message) {
    if (!this.alive) return;
    setTimeout(() => this.alive && this.handle(message), this.options.delay_ms + this.options.busy_ms);
  }

  /** The reply to an event, which is kept; a second time it changes nothing. */
  acknowledge(message) {
    const duplicate = this.events.has(message.event_id);
    this.events.set(message.event_id, message);
    return {
      ...replyTo(message),
      ack: { event_id: message.event_id, duplicate, durable_ms: 1 },
      status: this.state(),
    };
  }

  /** A status; `more` says what is different, `counts` how many items there are and were answered. */
  stateOf(counts, more) {
    this.rev += 1;
    return {
      rev: this.rev,
      state: "ready",
      message: "",
      counts: { skipped: 0, unsure: 0, problems: 0, ...counts },
      classes: this.classes,
      progress: [],
      ...more,
    };
  }
}

export function replyTo(message) {
  return { kind: "reply", rid: message.rid, ok: true };
}
