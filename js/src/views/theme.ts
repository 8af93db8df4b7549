// Light or dark, judged by what is really behind the widget: hosts name their themes in many ways.

import { on } from "./dom";

function luminance(colour: string): number | null {
  const parts = colour.match(/[\d.]+/g)?.map(Number);
  const [r, g, b, alpha = 1] = parts ?? [];
  if (r == null || g == null || b == null || alpha < 0.5) return null;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

export function themeBehind(element: Element): "light" | "dark" {
  // JupyterLab's cells are transparent above its layout colour, so its own variable comes first.
  const probe = document.createElement("i");
  probe.style.background = "var(--jp-layout-color1, transparent)";
  element.append(probe);
  let light: number | null = null;
  for (let at: Element | null = probe; at != null && light == null; at = at.parentElement) {
    light = luminance(getComputedStyle(at).backgroundColor);
  }
  probe.remove();
  if (light == null) return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return light < 0.5 ? "dark" : "light";
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
  on(media, "change", later, { signal });
  on(signal, "abort", () => watcher.disconnect());
  look();
  requestAnimationFrame(look);
}
