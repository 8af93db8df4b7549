"""What a query says to the annotator: the model's probabilities and one sentence why the item is asked.

The sentence is made from the item's probabilities alone, the same way for chosen and for audit items, so that an audit item
cannot be told from the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.task import isolated

SHOWN = 5
"""Classes shown with a bar at most."""


def probabilities_of(
    opinion: npt.NDArray[np.floating[Any]] | None, classes: tuple[str, ...]
) -> tuple[tuple[str, float], ...]:
    """Return (class, probability), most probable first, at most five; empty without an opinion."""
    if opinion is None:
        return ()
    best = np.argsort(-opinion, kind="stable")[:SHOWN]
    return tuple((classes[i], float(opinion[i])) for i in best if i < len(classes))


def reason_of(probabilities: tuple[tuple[str, float], ...], n_trained: int, *, resumed: bool = False) -> str:
    """Return the sentence for the annotator; `resumed`: there was a model before this session was opened."""
    if not probabilities and resumed:
        return "The model is trained again after the restart: until then the pictures are spread over the collection."
    if not probabilities:
        return "There is no model yet: the first pictures are spread over the whole collection."
    (first, p), *rest = ((isolated(name), p) for name, p in probabilities)
    seen = f"after {n_trained} labels"
    if rest and p - rest[0][1] < 0.2:
        second, q = rest[0]
        return f"The model hesitates between {first} ({p:.0%}) and {second} ({q:.0%}) {seen}."
    if p < 0.8:
        return f"The model leans to {first} ({p:.0%}) {seen}."
    return f"The model takes it for {first} ({p:.0%}) {seen}."
