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


RATHER_RARE = 10.0
"""Log likelihood by which two classes must speak against a rare one before it is taken for one that everybody misses."""


def _frequencies_win(even: State, frequent: State, answers: Answers, weight: FloatArray) -> bool:
    """Say whether the answers speak for classes of different frequencies: log likelihoods and the price of K - 1 shares (BIC).

    Each answer is judged by a fit that did not see it. Either way of fitting may stand still far from the truth: even frequencies
    where a rare class is taken to be hard, estimated ones where a class that is hard is taken to be rare. With two classes both
    explain the same answers nearly as well; there rare is what is usual.
    """
    n_items, n_classes = even.posterior.shape

    def likelihood(state: State, log_shares: FloatArray | float) -> float:
        return float(np.logaddexp.reduce(gather(state.messages, answers, weight) + log_shares, axis=1).sum())

    shared = likelihood(frequent, log_frequencies(frequent.posterior))
    if n_classes == 2:
        return shared > likelihood(even, log_frequencies(even.posterior)) - RATHER_RARE
    return bool(shared - likelihood(even, -np.log(n_classes)) > 0.5 * (n_classes - 1) * np.log(n_items))


def _disputed(answers: Answers) -> npt.NDArray[np.bool_]:
    """Return the items whose labels differ, (n_items,)."""
    labels = answers.is_label
    first = np.full(len(answers.items), -1)
    first[answers.item[labels][::-1]] = answers.value[labels][::-1]
    other = answers.value[labels] != first[answers.item[labels]]
    return np.bincount(answers.item[labels][other], minlength=len(answers.items)) > 0
