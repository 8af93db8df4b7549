"""Names of classes and people in the middle of a sentence."""

from __future__ import annotations

import unicodedata

_LEFTWARDS = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI"})


def isolated(name: str) -> str:
    """Return a name that leaves the direction of the sentence around it alone.

    Figures and brackets beside a name in a script that runs leftwards would otherwise be turned about: ``(%28)``. Names without
    such letters are returned as they are.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE, if it needs them.

    Examples
    --------
    >>> isolated("cat")
    'cat'
    """
    if any(unicodedata.bidirectional(c) in _LEFTWARDS for c in name):
        return f"\u2068{name}\u2069"
    return name
