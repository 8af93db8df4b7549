// One self-contained ES module and one style sheet per entry: what anywidget's `_esm` and `_css` need.
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "al_widgets", "static");
// `_esm` is copied into every instance of a widget and into saved notebooks.
const BUDGET_BYTES = 60_000;
// The volume widget carries brushes, a radar processing chain with its transforms, and three views.
const BUDGETS = { "volume.ts": 120_000 };
const TARGET = ["es2022", "chrome111", "firefox113", "safari16.4"];

// Names of our own properties that neither the DOM, nor a message, nor anything stored uses: safe to shorten.
const OWN_NAMES =
  `addClass alive changed delivered entry link notices reviewing scale announcement answerOf awaiting blocked canRedo canUndo canvas colour commandKey decoding drawn
  durable effect element flush hurry isOpen isShowing keyOf keymap labeller last_heard lazily light lost_at newest observers offered
  clock commands decode delivered forget leave letters olderHistory onScreen opinion panBy peek phase picture postpone postponed prune putBack receive recovered redoable refill refit refocus
  refused review reviewed seen_ms sent_at setAway settle settled shown showModel since skipReason sources standing storeId
  attach choose dismiss hand held isBlocked lose merge nextSeq noteOpinion tick
  across arrived chosen current expected nameOf pending replaced drawing drawnIndex explain fillHoles giveUp grid guide hover idOf isKnown isLabelled leaveRegion
  masks onGuide overlay predictions raster refold samples seeking settings spacing studio surface touched verdict verdicts zoomBy
  answeredBy asking busy drop high hint resize sketch source spent_ms wide goOn hear deep down heard isPending judged numbered onVelocity paint place publish pushed question record replied say seat stale tellVelocity theme tokenOf touch unlearned velocity visits waitFor wantsSection
  striped toggleLevels toggleOpinion pushes readout reasons storage takeBack today tries undo_id unsaved waiting_since zoomAt`.split(
    /\s+/,
  );

const entries = readdirSync(join(here, "src", "entries")).filter((name) => /\.(ts|css)$/.test(name));

/** Gives the style sheet's own custom properties short names; those set from scripts and JupyterLab's keep theirs. */
function shortenVariables(css) {
  const kept = new Set(["--accent", "--height"]);
  const own = [...new Set(css.match(/--(?!jp-)[a-z-]+(?=:)/g))].filter((name) => !kept.has(name));
  const short = new Map(own.map((name, i) => [name, `--${i.toString(36)}`]));
  return css.replace(/--[a-z-]+[a-z](?![a-z0-9-])/g, (name) => short.get(name) ?? name);
}

// Styles live in the widget's shadow root, so they travel as text inside the module.
const inlineCss = {
  name: "inline-css",
  setup(build) {
    build.onResolve({ filter: /\.css\?text$/ }, (args) => ({
      path: join(args.resolveDir, args.path.replace("?text", "")),
      namespace: "inline-css",
    }));
    build.onLoad({ filter: /.*/, namespace: "inline-css" }, async (args) => {
      const built = await esbuild.build({
        entryPoints: [args.path],
        bundle: true,
        minify: true,
        write: false,
        target: TARGET,
      });
      return {
        // esbuild keeps the space after a comma and after the colon of a custom property.
        contents: shortenVariables(built.outputFiles[0].text).replace(/(?<=,|--[a-z0-9-]+:) /g, ""),
        loader: "text",
        watchFiles: [args.path],
      };
    });
  },
};

export const options = {
  entryPoints: entries.map((name) => join(here, "src", "entries", name)),
  outdir: out,
  bundle: true,
  format: "esm",
  splitting: false,
  minify: true,
  charset: "utf8",
  legalComments: "none",
  mangleProps: new RegExp(`^(?:${OWN_NAMES.join("|")})$`),
  target: TARGET,
  plugins: [inlineCss],
  logLevel: "info",
};

const called = process.argv[1] === fileURLToPath(import.meta.url);
if (called && process.argv.includes("--watch")) {
  const context = await esbuild.context(options);
  await context.watch();
} else if (called) {
  await esbuild.build(options);
  let over = false;
  for (const name of entries.filter((entry) => entry.endsWith(".ts"))) {
    const bytes = statSync(join(out, name.replace(/\.ts$/, ".js"))).size;
    const budget = BUDGETS[name] ?? BUDGET_BYTES;
    if (bytes > budget) {
      console.error(
        `${name}: ${bytes} bytes, over the budget of ${budget}. It is copied into every instance: make it smaller.`,
      );
      over = true;
    }
  }
  if (over) process.exit(1);
}
