// The review gallery of a volume: a card a section in question. Text goes in by textContent only.

const SILENT_MS = 8_000;
/** Least time between two readings: a round of the model changes what is in question, and there are many. */
const PACE_MS = 3_000;

function element(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function render({ model, el, signal }) {
  const client = crypto.randomUUID?.() ?? `g${Math.random().toString(36).slice(2)}`;
  const root = element("section", "al-sections");
  root.dataset.al = "review";
  const title = element("h2", "al-sections-title");
  const left = element("span", "al-sections-left");
  left.dataset.al = "left";
  const note = element("p", "al-sections-note");
  note.dataset.al = "note";
  note.setAttribute("role", "status");
  const list = element("ul", "al-sections-list");
  const head = element("div", "al-sections-head");
  head.append(title, left);
  root.append(head, note, list);
  el.append(root);

  const waiting = new Map();
  let asked = 0;
  let numbers = 0;
  let later = 0;
  let urls = [];

  function say(text) {
    if (note.textContent !== text) note.textContent = text;
    note.hidden = text === "";
  }

  function ask(message, done) {
    numbers += 1;
    const rid = `${client}-${numbers}`;
    const timer = setTimeout(() => {
      waiting.delete(rid);
      say("The kernel does not answer. Run the cell again if it was restarted.");
    }, SILENT_MS);
    waiting.set(rid, (reply, buffers) => {
      clearTimeout(timer);
      waiting.delete(rid);
      if (reply.ok) done(reply, buffers);
      else say(reply.error?.message ?? "This could not be shown.");
    });
    model.send({ rid, client, ...message });
  }

  function card({ item_id, why, where, outlines }, buffer) {
    const item = element("li", "al-sections-card");
    const open = element("button", "al-sections-open");
    open.type = "button";
    open.dataset.alItem = item_id;
    open.title = "Show it in the volume widget";
    const picture = element("img", "al-sections-picture");
    const url = URL.createObjectURL(new Blob([buffer], { type: "image/png" }));
    urls.push(url);
    picture.src = url;
    picture.alt = "";
    const legend = element("span", "al-sections-legend");
    outlines.forEach(([name, colour], at) => {
      const entry = element("span", "al-sections-name", name);
      entry.style.setProperty("--colour", colour);
      entry.dataset.dashed = String(at > 0);
      legend.append(entry);
    });
    open.append(
      picture,
      element("strong", "al-sections-item", item_id),
      legend,
      element("span", "al-sections-why", why),
      element("span", "al-sections-where", where),
    );
    open.addEventListener("click", () => ask({ kind: "visit", item_id }, ({ message }) => say(message)));
    item.append(open);
    return item;
  }

  function show({ cards, left: n, message }, buffers) {
    const focused = root.getRootNode().activeElement?.dataset?.alItem;
    const old = urls;
    urls = [];
    list.replaceChildren(...cards.map((each, i) => card(each, buffers[i])));
    for (const url of old) URL.revokeObjectURL(url);
    left.textContent = n === 0 ? "" : `${n} ${n === 1 ? "section" : "sections"} in question, worst first`;
    if (cards.length === 0 || note.textContent === "Reading the masks…") say(message);
    root.dataset.alState = "ready";
    root.dataset.alCards = String(cards.length);
    if (focused != null) list.querySelector(`[data-al-item="${CSS.escape(focused)}"]`)?.focus();
  }

  function read() {
    asked = Date.now();
    ask({ kind: "doubts" }, show);
  }

  function receive(content, buffers) {
    if (content?.kind === "reply") waiting.get(content.rid)?.(content, buffers);
    if (content?.kind !== "changed") return;
    clearTimeout(later);
    later = setTimeout(read, Math.max(0, asked + PACE_MS - Date.now()));
  }

  const name = () => {
    title.textContent = `Review: ${model.get("title")}`;
    root.setAttribute("aria-label", title.textContent);
  };
  name();
  say("Reading the masks…");
  model.on("change:title", name);
  model.on("msg:custom", receive);
  read();
  signal.addEventListener("abort", () => {
    clearTimeout(later);
    model.off("change:title", name);
    model.off("msg:custom", receive);
    for (const url of urls) URL.revokeObjectURL(url);
  });
}

export default { render };
