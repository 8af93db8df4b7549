// Checks who imports whom: entries -> host -> core, entries -> views -> core; core imports nothing but the wire files.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const WIRES = ["wire.ts", "volume-wire.ts", "sheet-wire.ts"];
const ALLOWED = {
  "wire.ts": [],
  "volume-wire.ts": ["wire.ts"],
  "sheet-wire.ts": ["wire.ts"],
  core: ["core", ...WIRES],
  views: ["views", "core", ...WIRES],
  host: ["host", "core", ...WIRES],
  entries: ["host", "views", "core", ...WIRES],
};
// Only these may name the widget host's types; nobody else may import a package at all.
const PACKAGES = { host: ["@anywidget/types"], entries: ["@anywidget/types"] };

/** Breaches of the rules in the sources below `root`, one sentence each. */
export function breaches(root) {
  const found = [];
  for (const path of readdirSync(root, { recursive: true }).filter((name) => name.endsWith(".ts"))) {
    const layer = path.split(/[\\/]/)[0];
    if (layer.endsWith(".d.ts")) continue;
    const text = readFileSync(join(root, path), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
      if (target.startsWith(".")) {
        const to = relative(root, resolve(root, dirname(path), target))
          .split(/[\\/]/)[0]
          .replace(/^(.*wire)$/, "$1.ts");
        if (!(ALLOWED[layer] ?? []).includes(to)) found.push(`${path}: ${layer} must not import ${target}`);
      } else if (!(PACKAGES[layer] ?? []).includes(target)) {
        found.push(`${path}: must not import the package ${target}`);
      }
    }
    if (layer === "core" && /\b(document|window|HTMLElement|localStorage|navigator)\b\s*[.(]/.test(text)) {
      found.push(`${path}: core must not touch the page`);
    }
  }
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = breaches(join(dirname(fileURLToPath(import.meta.url)), "src"));
  for (const line of found) console.error(line);
  if (found.length > 0) process.exit(1);
}
