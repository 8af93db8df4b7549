// A kernel for looking at the volume widget: made-up radar lines (or a CT series), strokes kept in a list, and a model that
// expects a spot around each echo.

import { FakeLine, replyTo } from "./fake_line.js";

const NAMES = ["soil", "mine", "root", "pipe", "stone", "wire", "can", "shell", "brick", "void"];

export class FakeVolumeKernel extends FakeLine {
  constructor(given) {
    const options = {
      rows: 256,
      columns: 400,
      sections: 24,
      flavour: "radar",
      classes: 2,
      delay_ms: 5,
      busy_ms: 0,
      predict: true,
      ...given,
    };
    const { rows, columns, sections, flavour } = options;
    const radar = flavour === "radar";
    super(options, NAMES.slice(0, options.classes), {
      title: radar ? "Lane 7, 900 MHz" : "Chest",
      tools: ["brush", "eraser", "fill", "polygon", "box", "point"],
      info: {
        name: "v",
        sections,
        rows,
        columns,
        dtype: "int16",
        flavour,
        axes: radar
          ? [
              { name: "line", unit: "m", step: 0.25, origin: 0, ends: ["", ""] },
              { name: "time", unit: "ns", step: 0.1, origin: 0, ends: ["", ""] },
              { name: "distance", unit: "m", step: 0.02, origin: 0, ends: ["", ""] },
            ]
          : [
              { name: "z", unit: "mm", step: 2.5, origin: -120, ends: ["F", "H"] },
              { name: "y", unit: "mm", step: 0.8, origin: 0, ends: ["A", "P"] },
              { name: "x", unit: "mm", step: 0.8, origin: 0, ends: ["R", "L"] },
            ],
        lengths: null,
        low: radar ? -9000 : -1024,
        high: radar ? 9000 : 1200,
        time_zero: radar ? 12 : 0,
        velocity_m_per_ns: radar ? 0.12 : 0,
      },
    });
  }

  handle(message) {
    const { kind } = message;
    if (kind === "stroke" || kind === "answer" || kind === "undo") {
      this.push({ ...this.acknowledge(message), states: [] });
      if (this.options.predict) this.predict(indexOf(message.item_id));
      return;
    }
    const reply = replyTo(message);
    let buffers = [];
    if (kind === "hello") {
      Object.assign(reply, { states: [], history: [], proposal: this.proposal(3, null), prediction: null });
      reply.status = this.state();
    } else if (kind === "sections") {
      const { rows, columns } = this.options;
      reply.sections = message.item_ids.map((item_id, buffer) => ({
        item_id,
        index: indexOf(item_id),
        rows,
        columns,
        buffer,
      }));
      buffers = message.item_ids.map((item_id) => new DataView(this.section(indexOf(item_id)).buffer));
    } else if (kind === "look") {
      reply.prediction = null;
    } else if (kind === "next") {
      this.rev += 1;
      const index = (5 + 7 * this.rev) % this.options.sections;
      reply.proposal = this.proposal(index, message.want === "region" ? this.region(index) : null);
    } else if (kind === "states") {
      reply.states = [];
    } else if (kind === "add_class") {
      this.classes = [...this.classes, message.name];
      reply.status = this.state();
    }
    this.push(reply, buffers);
  }

  /** An echo on every section: column, row and how many columns it is wide. */
  echo(index) {
    const { rows, columns } = this.options;
    return { x: columns * (0.3 + 0.02 * index), y: rows * 0.35, wide: columns * 0.2 };
  }

  section(index) {
    const { rows, columns, flavour } = this.options;
    const values = new Int16Array(rows * columns);
    const { x, y } = this.echo(index);
    for (let r = 0; r < rows; r += 1) {
      for (let c = 0; c < columns; c += 1) {
        const noise = Math.sin(r * 12.9898 + c * 78.233 + index) * 43758.5453;
        const grain = noise - Math.floor(noise) - 0.5;
        if (flavour === "radar") {
          const t = r - Math.hypot(y, (c - x) * 1.6);
          const echo =
            3000 * Math.exp(-t * t * 0.02) * Math.cos(t * 0.7) * Math.exp(-(((c - x) / columns) ** 2) * 20);
          const direct = 9000 * Math.exp(-((r - 14) ** 2) * 0.02) * Math.cos((r - 14) * 0.6);
          const layer =
            700 *
            Math.cos((r - rows * 0.7 - 6 * Math.sin(c / 40)) * 0.5) *
            Math.exp(-((r - rows * 0.7) ** 2) / 90);
          values[r * columns + c] = echo + direct + layer + 500 * grain;
        } else {
          const d = Math.hypot((c - columns / 2) / 1.25, r - rows / 2) / (rows / 2.2);
          const lung = Math.hypot(Math.abs(c - columns / 2) - columns * 0.16, r - rows * 0.45) / (rows * 0.2);
          const bone = Math.hypot(c - columns / 2, r - rows * 0.78) / (rows * 0.07);
          values[r * columns + c] = (d > 1 ? -1000 : bone < 1 ? 500 : lung < 1 ? -750 : 40) + 60 * grain;
        }
      }
    }
    return values;
  }

  spot(index, reach) {
    const { rows, columns } = this.options;
    const { x, y, wide } = this.echo(index);
    const classes = new Uint8Array(rows * columns);
    const doubt = new Uint8Array(rows * columns);
    for (let r = 0; r < rows; r += 1) {
      for (let c = 0; c < columns; c += 1) {
        const t = Math.abs(r - Math.hypot(y, (c - x) * 1.6)) / 9 + Math.abs(c - x) / (wide * reach);
        classes[r * columns + c] = t < 1 ? 1 : 0;
        doubt[r * columns + c] = 255 * Math.exp(-(((t - 1) * 2.5) ** 2));
      }
    }
    return { classes, doubt };
  }

  predict(index) {
    const { rows, columns } = this.options;
    this.rev += 1;
    const { classes, doubt } = this.spot(index, 0.5 + this.rev * 0.1);
    const prediction = {
      item_id: `v/${index}`,
      index,
      round: this.rev,
      strokes: this.events.size,
      stride: 1,
      rows,
      columns,
      classes_buffer: 0,
      doubt_buffer: 1,
    };
    this.push({ kind: "prediction", prediction }, [new DataView(classes.buffer), new DataView(doubt.buffer)]);
    const utilities = Array.from({ length: this.options.sections }, (_, i) => Math.abs(Math.sin(i * 2.3)));
    this.push({
      kind: "proposal",
      rev: this.rev,
      proposal: this.proposal((index + 7) % this.options.sections, null),
      utilities,
    });
    this.push({ kind: "status", status: this.state() });
  }

  region(index) {
    const { x, y } = this.echo(index);
    const [row, column] = [Math.round(y - 8), Math.round(x - 20)];
    const part = { item_id: `v/${index}`, value: 1, box: [row, column, 20, 40], runs: "0Pi0" };
    return { region_id: `r${index}`, box: [index, row, column, 1, 20, 40], parts: [part], p: 0.63 };
  }

  proposal(index, region) {
    return {
      item_id: `v/${index}`,
      index,
      token: `t${index}`,
      strategy: "auto",
      reason: "Far from what is labelled, and the model doubts 4 % of it.",
      round: this.rev,
      region,
      probabilities: [],
    };
  }

  state() {
    const finished = [...this.events.values()].filter(
      ({ kind, answer }) => kind === "answer" && answer === "label",
    ).length;
    const counts = { total: this.options.sections, labelled: finished, mine: finished };
    return this.stateOf(counts, {
      speed: { median_s: 12.4, per_minute: 4.8 },
      training: "idle",
      round: 2,
      trained_labels: this.events.size,
      store: "lane7.db",
    });
  }
}

function indexOf(itemId) {
  return Number(itemId.slice(itemId.lastIndexOf("/") + 1));
}
