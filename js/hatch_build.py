"""Build the browser side when a wheel or sdist is made; installing one never needs Node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Run ``npm ci`` and ``npm run build`` unless the built files are there and newer than their sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring ``al_widgets/static`` up to date, or say in one sentence what is missing."""
        del version, build_data
        root = Path(self.root)
        if os.environ.get("AL_WIDGETS_SKIP_JS") == "1" or self._is_fresh(root):
            return
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            raise RuntimeError(
                "al_widgets: building the browser side needs Node.js 20 or newer (https://nodejs.org); "
                "set AL_WIDGETS_SKIP_JS=1 to build without it."
            )
        for command in ([npm, "ci", "--no-fund", "--no-audit"], [npm, "run", "build"]):
            subprocess.run(command, cwd=root / "js", check=True)

    @staticmethod
    def _is_fresh(root: Path) -> bool:
        built = [root / "al_widgets" / "static" / f"query.{kind}" for kind in ("js", "css")]
        if not all(path.is_file() for path in built):
            return False
        # An sdist carries the built files, and unpacking gives all files one time or any order of times.
        if (root / "PKG-INFO").is_file():
            return True
        sources = [p for p in (root / "js" / "src").rglob("*") if p.is_file()]
        sources += [root / "js" / "build.mjs", root / "js" / "package-lock.json"]
        return min(p.stat().st_mtime for p in built) >= max(p.stat().st_mtime for p in sources)
