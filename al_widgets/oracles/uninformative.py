"""Annotators whose answers teach nothing: one key for everything, or answers no better than chance.

A consensus gives them next to no weight; who leads the work should know.

Who may import it: `al_widgets.oracles` and above. Any thread.
"""

from __future__ import annotations

import numpy as np

from al_widgets.oracles.accuracy_path import quantiles
from al_widgets.oracles.dawid_skene import Consensus
from al_widgets.task import isolated

LEAST_ANSWERS = 20
"""Labels below which nobody is judged."""

LEAST_MISSED = 5
"""Items of other classes that somebody with one answer must have passed by: where all is normal, "normal" is right."""

LEAST_KNOWN = 0.25
"""Share of items that an annotator must know, beyond what guessing gives, at the upper end of the interval (95 %)."""


def uninformative_annotators(result: Consensus) -> dict[str, str]:
    """Return annotator → why their answers teach nothing, one sentence with the figures.

    Parameters
    ----------
    result : Consensus

    Returns
    -------
    dict of str to str
        Empty where all are of use, or too little is known of them.
    """
    answers, chance = result.answers, 1 / max(len(result.answers.classes), 2)
    limit = chance + LEAST_KNOWN * (1 - chance)
    high = quantiles(result.coming, result.model.accuracy, (0.95,))[:, 0]
    found = {}
    for number, name in enumerate(answers.annotators):
        own = (answers.annotator == number) & answers.is_label
        n = int(own.sum())
        if n < LEAST_ANSWERS:
            continue
        items, values = answers.item[own], np.unique(answers.value[own])
        missed = int((result.posterior[items].argmax(1) != values[0]).sum())
        if len(values) == 1 and missed >= LEAST_MISSED:
            found[name] = (
                f"{isolated(name)} answered {isolated(answers.classes[values[0]])!r} to all {n} items, "
                f"about {missed} of which are something else: these answers teach nothing"
            )
        elif high[number] < limit:
            found[name] = (
                f"{isolated(name)}'s answers are hardly better than chance (right {result.next_accuracy[number]:.0%} of the time, "
                f"chance is {chance:.0%}): they teach next to nothing"
            )
    return found
