"""The words of the dashboard, as small anywidgets: the head line above the figures, a caption below each.

They write with ``textContent`` only, so a class name is never taken for HTML or mathematics (ipywidgets'
Label and HTML do), and they set the attributes that ipywidgets' boxes cannot carry: ``data-al="dashboard"``,
roles and aria-labels.
"""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets as t

_HERE = Path(__file__).parent


class DashboardHead(anywidget.AnyWidget):
    """Head line: figures with what they rest on, the advice, a problem if there is one.

    Attributes
    ----------
    tiles : list of list of str
        Name, value and note of each figure.
    advice, problem : str
        One sentence each, or nothing.
    hook, label : str
        ``data-al`` and ``aria-label`` of the whole.
    """

    _esm = _HERE / "dashboard_head.js"
    _css = _HERE / "dashboard.css"
    tiles = t.List(t.List(t.Unicode())).tag(sync=True)
    advice = t.Unicode().tag(sync=True)
    problem = t.Unicode().tag(sync=True)
    hook = t.Unicode("dashboard").tag(sync=True)
    label = t.Unicode("Accuracy and cost").tag(sync=True)


class DashboardCaption(anywidget.AnyWidget):
    """The words below a figure, which are also what a screen reader says for it.

    Attributes
    ----------
    name, text : str
        Short name of the plot, and the plot in words.
    """

    _esm = _HERE / "dashboard_caption.js"
    name = t.Unicode().tag(sync=True)
    text = t.Unicode().tag(sync=True)
