"""Simulated labelling sessions on public data, for the tests and for the benchmark of oracles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from al_widgets.oracles import policies
from al_widgets.oracles.answers import Answers
from al_widgets.oracles.dawid_skene import fit
from al_widgets.oracles.evidence import TEMPERATURES, log_softmax
from al_widgets.oracles.kernel_ridge import REGULARISATIONS, KernelRidge

GOOD = (0.95, 0.9, 0.85)
MIXED = (0.9, 0.7, 0.55)
POOR = (0.55, 0.55, 0.55)


@lru_cache(maxsize=4)
def data(name):
    """digits: 1,797 x 64, 10 classes; mc5 and mc2: synthetic, 2,000 x 20, 5 and 2 classes."""
    from sklearn.datasets import load_digits, make_classification

    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X / 16.0, y
    if name == "mc5":
        X, y = make_classification(
            2000, 20, n_informative=8, n_redundant=4, n_classes=5, class_sep=1.6, flip_y=0.02, random_state=1
        )
    else:
        X, y = make_classification(
            2000, 20, n_informative=6, n_clusters_per_class=4, class_sep=1.4, flip_y=0.03, random_state=2
        )
    return (X - X.mean(0)) / X.std(0), y


def to_answers(item, annotator, value, n_items, n_classes, n_annotators=None):
    n = len(item)
    return Answers(
        tuple(map(str, range(n_items))),
        tuple(map(str, range(n_annotators or int(np.max(annotator)) + 1))),
        tuple(map(str, range(n_classes))),
        np.asarray(item, np.intp),
        np.asarray(annotator, np.intp),
        np.asarray(value, np.intp),
        np.full(n, np.nan),
        np.full(n, np.nan),
    )


@dataclass
class Labels:
    X: np.ndarray
    y: np.ndarray
    answers: Answers
    accuracy: np.ndarray  # true accuracy of the annotator at each answer


def crowd(
    name, seed, n_items=400, per_item=2, accuracies=MIXED, drop=(0, 300, 0.5), systematic=False, interleaved=False
):
    """Label random items; `drop`: (annotator, number of the answer from which on, new accuracy)."""
    rng = np.random.default_rng(seed)
    X, y = data(name)
    rows = rng.choice(len(X), n_items, replace=False)
    X, y, K, J = X[rows], y[rows], int(y.max()) + 1, len(accuracies)
    if interleaved:
        item = np.repeat(rng.permutation(n_items), per_item)
    else:
        item = np.concatenate([rng.permutation(n_items) for _ in range(per_item)])
    falls_on = (np.arange(K) + rng.integers(1, K, (J, K))) % K
    used = [set() for _ in range(n_items)]
    who, value, true = (np.empty(len(item), np.intp) for _ in range(3))
    path = np.empty(len(item))
    for e, i in enumerate(item):
        free = [j for j in range(J) if j not in used[i]] or list(range(J))
        j = int(rng.choice(free))
        used[i].add(j)
        a = accuracies[j]
        if drop is not None and j == drop[0] and e >= drop[1]:
            a = drop[2]
        k = y[i]
        right = rng.random() < a
        wrong = falls_on[j, k] if systematic else (k + rng.integers(1, K)) % K
        who[e], value[e], true[e], path[e] = j, (k if right else wrong), k, a
    return Labels(X, y, to_answers(item, who, value, n_items, K, J), path)


def first_answers(answers, n):
    """The first n answers, and only the items they are about."""
    items, item = np.unique(answers.item[:n], return_inverse=True)
    part = to_answers(
        item, answers.annotator[:n], answers.value[:n], len(items), len(answers.classes), len(answers.annotators)
    )
    return items, part


def majority(answers, rng):
    counts = rng.random((len(answers.items), len(answers.classes))) * 1e-3
    np.add.at(counts, (answers.item, answers.value), 1.0)
    return counts.argmax(1)


def dawid_skene(answers, one_coin, iterations=30, prior_weight=4.0):
    """Plain Dawid-Skene without a classifier, confusion rows smoothed towards one coin; the baseline of the field."""
    n, J, K = len(answers.items), len(answers.annotators), len(answers.classes)
    posterior = np.full((n, K), 1e-3)
    np.add.at(posterior, (answers.item, answers.value), 1.5)
    posterior = np.exp(posterior)
    posterior /= posterior.sum(1, keepdims=True)
    for _ in range(iterations):
        C = np.zeros((J, K, K))
        np.add.at(C, (answers.annotator[:, None], np.arange(K), answers.value[:, None]), posterior[answers.item])
        diagonal = np.trace(C, axis1=1, axis2=2)
        a = (diagonal + 0.7 * prior_weight) / (C.sum((1, 2)) + prior_weight)
        E = ((1 - a) / (K - 1))[:, None, None] * np.ones((1, K, K))
        E[:, np.arange(K), np.arange(K)] = a[:, None]
        if not one_coin:
            E = (C + prior_weight * E) / (C.sum(2, keepdims=True) + prior_weight)
        share = (posterior.sum(0) + 1) / (n + K)
        log = np.tile(np.log(share), (n, 1))
        np.add.at(log, answers.item, np.log(E[answers.annotator, :, answers.value]))
        posterior = np.exp(log - log.max(1, keepdims=True))
        posterior /= posterior.sum(1, keepdims=True)
    return posterior.argmax(1)


def crowdlab(labels, regularisations=None):
    """CROWDLAB (cleanlab >= 2.8) on leave-one-out probabilities calibrated to its own labels, two rounds.

    One regularisation: the baseline that the promised margin was set against. Several: the best of them by its own labels.
    """
    import pandas as pd
    from cleanlab.multiannotator import get_label_quality_multiannotator

    answers = labels.answers
    n, K = len(answers.items), len(answers.classes)
    table = np.full((n, len(answers.annotators)), np.nan)
    table[answers.item, answers.annotator] = answers.value
    found = majority(answers, np.random.default_rng(0))
    ridge = KernelRidge(labels.X, regularisations=regularisations or (0.05,))
    for _ in range(2):
        Q = np.eye(K)[found]
        best = None
        for scores in ridge.leave_one_out(Q):
            for T in (1, 2, 3, 4, 6, 8, 12):
                log = T * scores - T * scores.max(1, keepdims=True)
                log -= np.log(np.exp(log).sum(1, keepdims=True))
                fit_ = (Q * log).sum()
                if best is None or fit_ > best[0]:
                    best = fit_, np.exp(log)
        out = get_label_quality_multiannotator(pd.DataFrame(table), best[1], verbose=False)
        found = out["label_quality"]["consensus_label"].to_numpy().astype(int)
    return found


def accuracies_known(labels, rounds=4):
    """Labels by the classifier and annotators whose true accuracy at every answer is known, wrong answers even: the ceiling."""
    answers = labels.answers
    n, K = len(answers.items), len(answers.classes)
    ridge = KernelRidge(labels.X)
    evidence = np.zeros((n, K))
    right, wrong = np.log(labels.accuracy), np.log((1 - labels.accuracy) / (K - 1))
    np.add.at(evidence, answers.item, np.tile(wrong[:, None], K))
    np.add.at(evidence, (answers.item, answers.value), right - wrong)
    posterior = np.exp(log_softmax(evidence))
    for _ in range(rounds):
        best = None
        for scores in ridge.leave_one_out(posterior):
            for temperature in TEMPERATURES:
                prior = log_softmax(np.log(np.exp(log_softmax(temperature * scores)) + 1e-6))
                found = np.logaddexp.reduce(prior + evidence, axis=1).sum()
                if best is None or found > best[0]:
                    best = found, prior
        posterior = np.exp(log_softmax(best[1] + evidence))
    return posterior.argmax(1)


# ---------- relabelling ----------


def relabel_session(
    name,
    seed,
    policy,
    accuracies=MIXED,
    drop=(0, 300, 0.5),
    total=600,
    refit=30,
    marks=(300, 600),
    regularisations=REGULARISATIONS,
):
    """Spend `total` labels: the strategy (uncertainty herding) proposes new items, the policy may repeat instead.

    Returns, for each mark, (accuracy on unseen items, accuracy of the stored labels, distinct items). With one regularisation it is
    the model that the promised margins were set against: only its temperature is chosen by the evidence of the answers.
    """
    rng = np.random.default_rng(seed)
    X, y = data(name)
    order = rng.permutation(len(X))
    pool, test = order[:1000], order[1000:]
    Xp, yp, Xt, yt = X[pool], y[pool], X[test], y[test]
    K, J, n = int(y.max()) + 1, len(accuracies), len(pool)
    norms = (Xp**2).sum(1)
    kernel = np.exp(-4 / (X.shape[1] * X.var()) * np.maximum(norms[:, None] + norms[None] - 2 * Xp @ Xp.T, 0)).astype(
        np.float32
    )
    cover = np.zeros(n, np.float32)
    uncertainty = np.ones(n, np.float32)
    belief = np.full((n, K), 1 / K)
    decide = policies.get(policy)
    item, who, value = [], [], []
    asked = np.zeros(n, bool)
    weights = np.full(J, 0.5)
    model_weight, next_accuracy, result = 0.5, np.full(J, 0.73), None
    marked = []
    posterior = np.full((n, K), 1 / K)
    fresh: list[int] = []  # answered since the last refit

    for e in range(total):
        j = e % J
        gains = np.maximum(kernel - cover, 0) @ uncertainty
        gains[asked] = -1
        new = int(gains.argmax())
        row = None
        if result is not None:
            seen = np.flatnonzero(asked)
            position = np.searchsorted(seen, item)
            busy = np.searchsorted(seen, fresh)
            allowed = policies.repeatable(position, np.array(who), j, len(seen), busy=busy)
            given = np.bincount(position, weights[np.array(who)], len(seen))
            row = decide(
                policies.Situation(
                    posterior[seen],
                    np.bincount(position, minlength=len(seen)),
                    allowed,
                    float(next_accuracy[j]),
                    belief[new],
                    weights=given,
                    mean_weight=float(weights.mean()),
                    model_weight=model_weight,
                )
            ).repeat
        i = new if row is None else int(seen[row])
        if row is None:
            asked[i] = True
            cover = np.maximum(cover, kernel[i])
        a = drop[2] if drop is not None and j == drop[0] and e >= drop[1] else accuracies[j]
        right = rng.random() < a
        item.append(i), who.append(j), value.append(yp[i] if right else (yp[i] + rng.integers(1, K)) % K)
        fresh.append(i)
        if (e + 1) % refit == 0:
            seen, local = np.unique(item, return_inverse=True)
            answers = to_answers(local, who, value, len(seen), K, J)
            ridge = KernelRidge(Xp[seen], regularisations=regularisations)
            result = fit(answers, ridge.leave_one_out)
            posterior[seen] = result.posterior
            penalty = ridge.regularisations[result.regularisation]
            scores = result.temperature * ridge.predict(Xp, result.posterior, penalty)
            belief = np.exp(scores - scores.max(1, keepdims=True))
            belief /= belief.sum(1, keepdims=True)
            top = np.sort(belief, 1)
            uncertainty = (1 - (top[:, -1] - top[:, -2])).astype(np.float32)
            next_accuracy = result.next_accuracy
            loo = ridge.leave_one_out(result.posterior)[result.regularisation].argmax(1)
            found = result.posterior.argmax(1)
            share = np.bincount(found).max() / len(found)
            weights, model_weight = policies.activelab_weights(
                next_accuracy, (loo == found).mean(), share, len(item) / len(seen)
            )
            fresh = []
            if e + 1 in marks:
                hit = (ridge.predict(Xt, result.posterior, penalty).argmax(1) == yt).mean()
                marked.append((hit, (found == yp[seen]).mean(), len(seen)))
    return np.array(marked)


def alarm_session(seed, drop=None, events=600, every=10, jump=0.01, first=100):
    """Return the number of the answer at which annotator 0 was first reported to have fallen, or None."""
    from al_widgets.oracles.fatigue import advise_breaks

    labels = crowd(
        "digits",
        seed,
        n_items=events // 2,
        accuracies=MIXED,
        drop=None if drop is None else (0, *drop),
        interleaved=True,
    )
    result = None
    for n in range(first, events + 1, every):
        items, part = first_answers(labels.answers, n)
        part = Answers(
            tuple(map(str, items)),
            part.annotators,
            part.classes,
            part.item,
            part.annotator,
            part.value,
            part.elapsed_s,
            part.answered_at,
        )
        result = fit(
            part, KernelRidge(labels.X[items]).leave_one_out, start=result, rounds=4 if result is None else 2, jump=jump
        )
        watched = [0] if drop is not None else range(len(part.annotators))
        advice = advise_breaks(result)
        if any(advice[j].suggested for j in watched) and (drop is None or n > drop[0]):
            return n
    return None


def threshold_error(seed, staircase, answers=40):
    """Error of the detection threshold of a simulated annotator, dB."""
    from al_widgets.oracles.staircase import Staircase, psychometric

    rng = np.random.default_rng(seed)
    mu, width, guess, lapse = rng.uniform(-16, 0), rng.uniform(0.7, 3), rng.uniform(0.02, 0.15), rng.uniform(0.01, 0.06)
    state = Staircase.start()
    for _ in range(answers):
        s = state.next_amplitude if staircase else float(rng.uniform(-20, 4))
        state = state.answered(s, bool(rng.random() < psychometric(s, mu, width, guess, lapse)))
    return state.next_amplitude - mu


def single_annotator(seed, gold_every=20, with_classifier=True, n=400):
    """RMSE of the accuracy path of one annotator falling .8 -> .5 at 200, with every 20th item of known truth."""
    labels = crowd("digits", seed, n_items=n, per_item=1, accuracies=(0.8,), drop=(0, 200, 0.5))
    gold = {int(i): int(labels.y[i]) for i in labels.answers.item[::gold_every]} if gold_every else {}
    ridge = KernelRidge(labels.X).leave_one_out if with_classifier else None
    result = fit(labels.answers, ridge, gold=gold)
    return float(np.sqrt(((result.accuracy - labels.accuracy) ** 2).mean()))


def shared_queue(seed, annotators, lock=True, target=0.95, refit=4, limit=300):
    """Labels until `target` on unseen digits with several annotators on one queue, and answers that were unintended duplicates."""
    rng = np.random.default_rng(seed)
    X, y = data("digits")
    order = rng.permutation(len(X))
    Xp, yp, Xt, yt = X[order[:1200]], y[order[:1200]], X[order[1200:]], y[order[1200:]]
    K, n = 10, 1200
    norms = (Xp**2).sum(1)
    kernel = np.exp(-4 / (X.shape[1] * X.var()) * np.maximum(norms[:, None] + norms[None] - 2 * Xp @ Xp.T, 0)).astype(
        np.float32
    )
    uncertainty = np.ones(n, np.float32)
    labelled, held = [], []
    wasted = 0
    while len(labelled) + wasted < limit:
        while len(held) < annotators:
            taken = [*labelled, *held] if lock else labelled
            cover = kernel[taken].max(0) if taken else np.zeros(n, np.float32)
            gains = np.maximum(kernel - cover, 0) @ uncertainty
            gains[taken] = -1
            held.append(int(gains.argmax()))
        i = held.pop(0)
        if i in labelled:
            wasted += 1
        else:
            labelled.append(i)
        if (len(labelled) + wasted) % refit == 0 and len(set(yp[labelled])) > 1:
            ridge = KernelRidge(Xp[labelled])
            Q = np.eye(K)[yp[labelled]]
            scores = 8 * ridge.predict(Xp, Q, 0.05)
            p = np.exp(scores - scores.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            top = np.sort(p, 1)
            uncertainty = (1 - (top[:, -1] - top[:, -2])).astype(np.float32)
            if (ridge.predict(Xt, Q, 0.05).argmax(1) == yt).mean() >= target:
                break
    return len(labelled) + wasted, wasted
