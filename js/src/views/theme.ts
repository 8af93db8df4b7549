// Light or dark, judged by what is really behind the widget: hosts name their themes in many ways.

function luminance(colour: string): number | null {
  const parts = colour.match(/[\d.]+/g)?.map(Number);
  const [r, g, b, alpha = 1] = parts ?? [];
  if (r === undefined || g === undefined || b === undefined || alpha < 0.5) return null;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

export function themeBehind(element: Element): "light" | "dark" {
  // JupyterLab's cells are transparent above its layout colour, so its own variable comes first.
  const declared = getComputedStyle(element).getPropertyValue("--jp-layout-color1").trim();
  if (declared !== "") {
    const probe = document.createElement("span");
    probe.style.color = declared;
    element.append(probe);
    const light = luminance(getComputedStyle(probe).color);
    probe.remove();
    if (light !== null) return light < 0.5 ? "dark" : "light";
  }
  for (let at: Element | null = element; at !== null; at = at.parentElement) {
    const light = luminance(getComputedStyle(at).backgroundColor);
    if (light !== null) return light < 0.5 ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Keeps `apply` told of the theme behind `element`. */
export function followTheme(
  element: Element,
  apply: (theme: "light" | "dark") => void,
  signal: AbortSignal,
): void {
  const look = (): void => {
    if (element.isConnected) apply(themeBehind(element));
  };
  const later = (): void => void setTimeout(look, 50);
  const watcher = new MutationObserver(later);
  for (const node of [document.documentElement, document.body]) {
    watcher.observe(node, {
      attributes: true,
      attributeFilter: ["class", "style", "data-jp-theme-name", "data-theme"],
    });
  }
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", later, { signal });
  signal.addEventListener("abort", () => watcher.disconnect());
  look();
  requestAnimationFrame(look);
}
