"""What the answers say without a classifier, classes equally frequent or not.

Who may import it: `al_widgets.oracles`. Any thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from al_widgets.oracles.accuracy_path import AccuracyModel, Chains
from al_widgets.oracles.answers import Answers, FloatArray
from al_widgets.oracles.message_passing import State, first_state, gather, log_frequencies, pass_messages


def fit_alone(
    answers: Answers, base: FloatArray, weight: FloatArray, model: AccuracyModel, chains: Chains, iterations: int
) -> State:
    """Fit the answers under a prior `base` that knows nothing but gold items.

    The frequencies of the classes become the prior of items whose answers differ, where the evidence speaks for that; that of the
    others stays even, so a single answer is never overruled by how rare its class is.
    """

    def fitted(frequent: npt.NDArray[np.bool_]) -> State:
        start = first_state(answers, model, chains)
        return pass_messages(start, answers, base, weight, model, chains, iterations, frequent=frequent)

    even = fitted(np.zeros(len(base), np.bool_))
    disputed = _disputed(answers) & (np.ptp(base, axis=1) == 0)
    if not disputed.any():
        return even
    frequent = fitted(disputed)
    return frequent if _frequencies_win(even, frequent, answers, weight) else even


def _frequencies_win(even: State, frequent: State, answers: Answers, weight: FloatArray) -> bool:
    """Say whether the answers speak for classes of different frequencies: log likelihoods and the price of K - 1 shares (BIC).

    Each answer is judged by a fit that did not see it. Either way of fitting may stand still far from the truth: even frequencies
    where a rare class is taken to be hard, estimated ones where a class that is hard is taken to be rare.
    """
    n_items, n_classes = even.posterior.shape
    alike, shares = (gather(state.messages, answers, weight) for state in (even, frequent))
    gain = np.logaddexp.reduce(shares + log_frequencies(frequent.posterior), axis=1).sum()
    gain -= np.logaddexp.reduce(alike - np.log(n_classes), axis=1).sum()
    return bool(gain > 0.5 * (n_classes - 1) * np.log(n_items))


def _disputed(answers: Answers) -> npt.NDArray[np.bool_]:
    """Return the items whose labels differ, (n_items,)."""
    labels = answers.is_label
    first = np.full(len(answers.items), -1)
    first[answers.item[labels][::-1]] = answers.value[labels][::-1]
    other = answers.value[labels] != first[answers.item[labels]]
    return np.bincount(answers.item[labels][other], minlength=len(answers.items)) > 0
