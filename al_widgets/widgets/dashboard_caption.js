// The words below a figure; they also name the figure for a screen reader.
function render({ model, el, signal }) {
  const text = document.createElement("p");
  text.className = "al-dashboard-caption";
  el.append(text);
  const figure = () => el.closest(".al-dashboard-plot")?.querySelector(".bqplot") ?? null;

  const draw = () => {
    text.textContent = model.get("text");
    const node = figure();
    if (node === null) return false;
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", `${model.get("name")}: ${model.get("text")}`);
    return true;
  };
  draw();
  model.on("change:text", draw);

  // The figure comes into the page after this, when its own code has been loaded.
  const attached = new MutationObserver(() => draw() && attached.disconnect());
  const placed = new ResizeObserver(() => {
    const plot = el.closest(".al-dashboard-plot");
    if (plot === null) return;
    placed.disconnect();
    if (!draw()) attached.observe(plot, { childList: true, subtree: true, attributeFilter: ["class"] });
  });
  placed.observe(el);
  signal.addEventListener("abort", () => {
    placed.disconnect();
    attached.disconnect();
    model.off("change:text", draw);
  });
}

export default { render };
