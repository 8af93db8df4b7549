import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { breaches } from "../layers.mjs";

test("the sources keep to the layers", () => {
  expect(breaches(join(__dirname, "..", "src"))).toEqual([]);
});

test("a breach of the layers is found", () => {
  const root = mkdtempSync(join(tmpdir(), "layers-"));
  for (const layer of ["core", "views"]) mkdirSync(join(root, layer));
  writeFileSync(
    join(root, "core", "bad.ts"),
    'import { h } from "../views/dom";\nexport const x = document.body;\n',
  );
  writeFileSync(
    join(root, "views", "bad.ts"),
    'import { y } from "../host/model";\nimport type { Z } from "react";\n',
  );
  expect(breaches(root)).toHaveLength(4);
});
