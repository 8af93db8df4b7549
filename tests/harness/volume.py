"""The volume widget in a real browser: draw on the section, and know where that is in raw pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from harness.page import Notebook, QueryView


@dataclass(frozen=True)
class Lie:
    """Where raw pixel (0, 0) lies in the page, and how many CSS pixels a raw pixel is."""

    left: float
    top: float
    x_scale: float
    y_scale: float

    def raw(self, x: float, y: float) -> tuple[float, float]:
        """Return column and row (fractional) of a point of the page."""
        return (x - self.left) / self.x_scale, (y - self.top) / self.y_scale


class VolumeView(QueryView):
    """What a user sees and does in a volume widget, by the hooks that the page promises."""

    @classmethod
    def of(cls, notebook: Notebook) -> VolumeView:
        """Return the page's volume widget, once a section is drawn."""
        view = cls(notebook.page, notebook.page.locator('[data-al="query"][data-al-kind="volume"]').first)
        view.wait("(el) => ['ready', 'done'].includes(el.dataset.alState)")
        return view

    @property
    def section(self) -> int:
        """Index of the section on the screen."""
        return int(self.root.get_attribute("data-al-section") or "no such attribute")

    @property
    def canvas(self) -> Any:
        """The drawing surface."""
        return self.root.locator('[data-al="canvas"]')

    def lie(self) -> Lie:
        """Return where the section lies."""
        left, top, x, y, sx, sy = self.canvas.evaluate(
            """(el) => {
              const { left, top } = el.getBoundingClientRect();
              const { alX, alY, alScale, alScaleY } = el.dataset;
              return [left, top, ...[alX, alY, alScale, alScaleY].map(Number)];
            }"""
        )
        return Lie(left + x, top + y, sx, sy)

    def go(self, index: int) -> None:
        """Move to a section with the arrow keys."""
        while (here := self.section) != index:
            self.page.keyboard.press("ArrowRight" if index > here else "ArrowLeft")
            self.wait(
                "(el, i) => Number(el.dataset.alSection) === i && el.dataset.alState !== 'waiting'",
                here + (1 if index > here else -1),
            )

    def scale_to(self, x: float, y: float) -> None:
        """Zoom with the wheel until a raw pixel is `x` by `y` CSS pixels, to a quarter of a per cent."""
        left, top, width, height = self.canvas.evaluate(
            "(el) => { const b = el.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; }"
        )
        self.page.mouse.move(left + width / 2, top + height / 2)
        self._wheel("Control", y / self.lie().y_scale)
        self._wheel("Shift", x / self.lie().x_scale)

    def _wheel(self, modifier: str, factor: float) -> None:
        remaining = round(-400 * math.log(factor))  # a wheel turns in whole numbers
        self.page.keyboard.down(modifier)
        while remaining:
            step = max(-120, min(120, remaining))
            before = self.lie()
            self.page.mouse.wheel(0, step)
            self.page.wait_for_function(
                "([el, x, y]) => Number(el.dataset.alScale) !== x || Number(el.dataset.alScaleY) !== y",
                arg=[self.canvas.element_handle(), before.x_scale, before.y_scale],
            )
            remaining -= step
        self.page.keyboard.up(modifier)

    def draw(self, points: Sequence[tuple[float, float]], steps: int = 12) -> None:
        """Press at the first point of the page, move through the others, let go; wait until it is drawn."""
        strokes = self.page.evaluate("window.__al.painted.filter((p) => p.what === 'stroke').length")
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for x, y in points[1:]:
            self.page.mouse.move(x, y, steps=steps)
        self.page.mouse.up()
        self.page.wait_for_function(
            "(n) => window.__al.painted.filter((p) => p.what === 'stroke').length > n", arg=strokes
        )

    def overlay(self) -> str:
        """Return what lies over the section, as a picture's text."""
        picture: str = self.root.evaluate("(el) => el.shadowRoot.querySelector('.over').toDataURL()")
        return picture


def disc(shape: tuple[int, int], lie: Lie, centre: tuple[float, float], radius: float) -> npt.NDArray[np.bool_]:
    """Return raw pixels whose centres lie in a disc of the page: an ellipse in raw pixels."""
    return line(shape, lie, centre, centre, radius)


def line(
    shape: tuple[int, int], lie: Lie, start: tuple[float, float], end: tuple[float, float], radius: float
) -> npt.NDArray[np.bool_]:
    """Return raw pixels whose centres are within `radius` CSS pixels of a line of the page."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    x, y = lie.left + columns * lie.x_scale - start[0], lie.top + rows * lie.y_scale - start[1]
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = np.clip((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
    return np.hypot(x - along * dx, y - along * dy) <= radius


def overlap(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    """Return intersection over union."""
    return float((a & b).sum() / (a | b).sum())
