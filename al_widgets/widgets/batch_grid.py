"""The batch grid: many items that the model takes for the same class, confirmed with one key."""

from __future__ import annotations

import traitlets as t

from al_widgets.widgets.sheet import SheetWidget, groups_of
from al_widgets.widgets.sheet_wire import Sheet


class BatchGrid(SheetWidget):
    """Shows items predicted alike, most confident first: mark the wrong ones, confirm the others with one key.

    All rows of a sheet become durable in one transaction, share the time it took, and can be undone together. They are recorded
    with strategy ``"grid"`` and ``model_shown=True``, because who confirms is anchored to what the model said; items of the
    audit reserve never come into a grid.

    Parameters
    ----------
    session : Session
        What asks and records; it needs a model, so a few labels of two classes come first.
    n : int, optional
        Pictures of a sheet; default: 24.
    title, keys
        As for `QueryWidget`.

    Examples
    --------
    >>> import al_widgets as al
    >>> al.BatchGrid(session)  # doctest: +SKIP
    """

    mode = t.Unicode("grid").tag(sync=True)
    _usual_n = 24

    def _version(self) -> int:
        return 0  # a sheet stays as it is until it is confirmed, whatever the model says by then

    def _keep(self, client: str, have: list[str]) -> None:
        self.session.draw_alike(client, 0, have=have)

    def _sheet(self, client: str, name: str | None, have: list[str]) -> tuple[Sheet, list[bytes]]:
        self.session.start()
        drawn = self.session.draw_alike(client, self.n, name=name)
        if not drawn.queries and name is not None:  # the class is done: go on with another
            drawn = self.session.draw_alike(client, self.n)
        cards, buffers = self._cards([(q, drawn.name) for q in drawn.queries], have)
        message = ""
        if not cards:
            snapshot = self.session.snapshot
            waits = snapshot is None or snapshot.probabilities is None
            message = (
                "The grid starts when the model has learned from labels of two classes."
                if waits
                else "No open item is left for a grid; what is left is asked one by one."
            )
        return (
            {
                "rev": 0,
                "name": drawn.name,
                "cards": cards,
                "groups": groups_of(drawn.groups),
                "left": sum(n for _, n in drawn.groups),
                "message": message,
            },
            buffers,
        )
