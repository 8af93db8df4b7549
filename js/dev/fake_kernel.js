// A kernel for looking at the query widget: serves made-up pictures and keeps answers in a list.

import { FakeLine, replyTo } from "./fake_line.js";

const NAMES = [
  "cat",
  "dog",
  "horse",
  "bird",
  "fish",
  "goat",
  "sheep",
  "duck",
  "mole",
  "newt",
  "toad",
  "wasp",
  "crab",
];

export class FakeKernel extends FakeLine {
  constructor(given) {
    const options = {
      classes: 4,
      images: "photo",
      total: 200,
      busy_ms: 0,
      delay_ms: 5,
      cold: false,
      work: false,
      long: false,
      ...given,
    };
    const classes = Array.from({ length: options.classes }, (_, i) =>
      options.long && i % 3 === 1
        ? `a rather long class name, number ${i}, that does not fit`
        : (NAMES[i] ?? `species ${String(i).padStart(4, "0")}`),
    );
    super(options, classes, { title: "Animals of the farm" });
    this.served = 0;
  }

  async handle(message) {
    if (message.kind === "answer" || message.kind === "undo") {
      this.push(this.acknowledge(message));
      if (message.kind === "answer") this.more(message.want - message.have.length);
      return;
    }
    const reply = replyTo(message);
    let buffers = [];
    if (message.kind === "hello" || message.kind === "refill") {
      [reply.entries, buffers] = await this.entries(message.want - message.have.length);
      reply.status = this.state();
      if (message.kind === "hello") reply.history = [];
    } else if (message.kind === "show") {
      const [entry, buffer] = await this.entry(Number(message.item_id.match(/\d+/)[0]));
      reply.entries = [entry];
      buffers = [buffer];
    } else if (message.kind === "add_class") {
      this.classes = [...this.classes, message.name];
      reply.status = this.state();
    }
    this.push(reply, buffers);
  }

  async more(n) {
    const [entries, buffers] = await this.entries(n);
    this.rev += 1;
    if (entries.length > 0)
      this.push({ kind: "queue", rev: this.rev, replace: false, keep: [], drop: [], entries }, buffers);
    this.push({ kind: "status", status: this.state() });
  }

  async entries(n) {
    const made = [];
    while (made.length < n && this.served < this.options.total) {
      made.push(await this.entry(this.served));
      this.served += 1;
    }
    return [
      made.map(([entry], buffer) => ({ ...entry, image: { ...entry.image, buffer } })),
      made.map(([, bytes]) => bytes),
    ];
  }

  async entry(i) {
    const [image, bytes] =
      this.options.images === "raw" ? raw(i) : await photo(i, this.options.images === "small" ? 28 : 640);
    const weights = this.classes.map((_, k) => Math.exp(3 * Math.sin(i * 1.7 + k * 2.3)));
    const sum = weights.reduce((a, b) => a + b, 0);
    const probabilities = this.options.cold
      ? []
      : this.classes.map((name, k) => ({ name, p: weights[k] / sum }));
    const entry = {
      item_id: `farm/IMG_${String(i).padStart(4, "0")}.${image.encoding === "raw" ? "npy" : "jpg"}`,
      token: `t${i}`,
      strategy: this.options.cold ? "coverage" : "margin",
      reason: this.options.cold
        ? "No model yet: this one is unlike those seen so far."
        : `The model wavers between ${probabilities[0].name} and ${probabilities[1].name}.`,
      round: this.options.cold ? 0 : 3,
      probabilities: probabilities.sort((a, b) => b.p - a.p),
      image,
    };
    return [entry, bytes];
  }

  state() {
    const answers = [...this.events.values()].filter(({ kind }) => kind === "answer");
    const undone = new Set(
      [...this.events.values()].filter(({ kind }) => kind === "undo").map(({ target }) => target),
    );
    const n = (kind) =>
      answers.filter(({ answer, event_id }) => answer === kind && !undone.has(event_id)).length;
    const done = this.served >= this.options.total;
    const { cold, total, work } = this.options;
    const counts = {
      total,
      labelled: n("label"),
      skipped: n("skip"),
      unsure: n("unsure"),
      mine: answers.length,
    };
    return this.stateOf(counts, {
      state: cold ? "cold" : done ? "done" : "ready",
      message: done ? "The whole pool has been asked." : "",
      speed: { median_s: answers.length > 3 ? 2.3 : null, per_minute: answers.length > 3 ? 21.4 : null },
      training: cold ? "idle" : "running",
      round: cold ? 0 : 3,
      trained_labels: cold ? 0 : 34,
      progress: work ? [{ what: "Reading the pictures", done: 812, total: 2000 }] : [],
      store: "farm.db",
    });
  }
}

async function photo(i, size) {
  const width = size;
  const height = Math.round(size * 0.72);
  const canvas = new OffscreenCanvas(width, height);
  const c = canvas.getContext("2d");
  const sky = c.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, `hsl(${200 + ((i * 7) % 40)} 60% ${60 + (i % 4) * 6}%)`);
  sky.addColorStop(0.55, "hsl(45 60% 86%)");
  sky.addColorStop(0.56, `hsl(${90 + ((i * 11) % 40)} 35% 40%)`);
  sky.addColorStop(1, "hsl(100 40% 22%)");
  c.fillStyle = sky;
  c.fillRect(0, 0, width, height);
  for (let k = 0; k < 9; k += 1) {
    c.fillStyle = `hsl(${(i * 53 + k * 31) % 360} 30% ${25 + k * 4}%)`;
    c.beginPath();
    c.ellipse(
      width * ((i * 0.31 + k * 0.137) % 1),
      height * (0.55 + k * 0.04),
      width * 0.06,
      width * 0.035,
      k,
      0,
      7,
    );
    c.fill();
  }
  const blob = await canvas.convertToBlob({ type: "image/png" });
  const bytes = new DataView(await blob.arrayBuffer());
  return [info({ encoding: "file", mime: "image/png", width, height, channels: 3 }), bytes];
}

function raw(i) {
  const width = 160;
  const height = 120;
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const d = Math.hypot(x - 80 - 20 * Math.sin(i), (y - 20) * 1.2);
      values[y * width + x] =
        900 * Math.sin(d / 3 + i) * Math.exp(-d / 60) + 40 * Math.sin(x * 12.9898 + y * 78.233);
    }
  }
  for (let x = 60; x < 100; x += 1) values[5 * width + x] = Number.NaN;
  // At an odd offset, as buffers of messages are.
  const bytes = new Uint8Array(values.byteLength + 3);
  bytes.set(new Uint8Array(values.buffer), 3);
  return [
    info({ encoding: "raw", dtype: "float32", width, height, channels: 1, low: -500, high: 500 }),
    new DataView(bytes.buffer, 3, values.byteLength),
  ];
}

function info(given) {
  return {
    buffer: 0,
    encoding: "file",
    mime: "",
    dtype: "",
    channels: 1,
    low: 0,
    high: 255,
    native_width: given.width,
    native_height: given.height,
    ...given,
  };
}
