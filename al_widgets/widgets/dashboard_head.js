// The head line of the dashboard. Text goes in by textContent only.
function element(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function render({ model, el, signal }) {
  const list = element("ul", "al-dashboard-tiles");
  const advice = element("p", "al-dashboard-advice");
  advice.setAttribute("aria-live", "polite");
  const problem = element("p", "al-dashboard-problem");
  problem.dataset.al = "problem";
  problem.setAttribute("role", "alert");
  el.append(list, advice, problem);

  const draw = () => {
    list.replaceChildren(
      ...model.get("tiles").map(([name, value, note]) => {
        const tile = element("li", "al-dashboard-tile");
        tile.append(
          element("div", "al-dashboard-name", name),
          element("div", "al-dashboard-value", value),
          element("div", "al-dashboard-note", note),
        );
        return tile;
      }),
    );
    // Set only what changed: a live region speaks whenever its text is set.
    for (const [node, text] of [[advice, model.get("advice")], [problem, model.get("problem")]]) {
      if (node.textContent !== text) node.textContent = text;
      node.hidden = text === "";
    }
  };
  draw();
  for (const name of ["tiles", "advice", "problem"]) model.on(`change:${name}`, draw);

  // ipywidgets' boxes take classes but no attributes, and this runs before the box is in the page.
  const attached = new ResizeObserver(() => {
    const root = el.closest(".al-dashboard");
    if (root === null) return;
    root.dataset.al = model.get("hook");
    root.setAttribute("role", "region");
    root.setAttribute("aria-label", model.get("label"));
    attached.disconnect();
  });
  attached.observe(el);
  signal.addEventListener("abort", () => {
    attached.disconnect();
    for (const name of ["tiles", "advice", "problem"]) model.off(`change:${name}`, draw);
  });
}

export default { render };
