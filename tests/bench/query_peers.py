"""The same queries by scikit-activeml, modAL and small-text; runs in the environment of `peers_environment`.

``python query_peers.py '{"n": ..., "d": ..., "limit": ..., "seconds": ..., "asks": [{"library": ..., "strategy": ..., "k": ...}]}'``
prints one JSON line an ask. Models are those of the libraries' documentation: logistic regression, five of them for committees;
all are fitted before the measurement where the library lets one.
"""

import json
import sys
import warnings

import numpy as np
from measuring import forked, linear_case, measured

warnings.filterwarnings("ignore")

#: Our name: their class, its options, and the argument that takes the model.
SKACTIVEML = {
    "random": ("RandomSampling", {}, None),
    "least_confidence": ("UncertaintySampling", {"method": "least_confident"}, "clf"),
    "margin": ("UncertaintySampling", {"method": "margin_sampling"}, "clf"),
    "entropy": ("UncertaintySampling", {"method": "entropy"}, "clf"),
    "herding": ("MaxHerding", {}, None),
    "vote_entropy": ("QueryByCommittee", {"method": "vote_entropy"}, "ensemble"),
    "kl_divergence": ("QueryByCommittee", {"method": "KL_divergence"}, "ensemble"),
    "bald": ("GreedyBALD", {}, "ensemble"),
    "batchbald": ("BatchBALD", {}, "ensemble"),
    "expected_error": ("MonteCarloEER", {}, "clf to refit"),
    "k_center": ("CoreSet", {}, None),
    "typical_clusters": ("TypiClust", {}, None),
    "probability_coverage": ("ProbCover", {"n_classes": 10}, None),
    "badge": ("Badge", {}, "clf"),
    "weighted_kmeans": ("Clue", {}, "estimator"),
    "discriminative": ("DiscriminativeAL", {}, "discriminator"),
}
MODAL = {
    "least_confidence": "uncertainty.uncertainty_sampling",
    "margin": "uncertainty.margin_sampling",
    "entropy": "uncertainty.entropy_sampling",
    "vote_entropy": "disagreement.vote_entropy_sampling",
    "consensus_entropy": "disagreement.consensus_entropy_sampling",
    "kl_divergence": "disagreement.max_disagreement_sampling",
    "density_weighted": "density.information_density",
}
SMALLTEXT = {
    "random": "RandomSampling",
    "least_confidence": "LeastConfidence",
    "margin": "BreakingTies",
    "entropy": "PredictionEntropy",
    "k_center": "GreedyCoreset",
}
PEERS = {"scikit-activeml": SKACTIVEML, "modAL": MODAL, "small-text": SMALLTEXT}


def logistic():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=200)


def resampled(X, y, labelled, members=5):
    """Yield rows of bootstrap resamples that hold every class."""
    rng = np.random.default_rng(0)
    first = labelled[np.unique(y[labelled], return_index=True)[1]]
    for _ in range(members):
        yield np.r_[first, rng.choice(labelled, len(labelled) - len(first))]


def skactiveml(name, X, y, labelled, k):
    from skactiveml import pool
    from skactiveml.classifier import SklearnClassifier

    cls, options, needs = SKACTIVEML[name]
    partly = np.full(len(X), np.nan)
    partly[labelled] = y[labelled]
    classes = np.arange(10)
    extra = {}
    if needs == "ensemble":
        members = [
            SklearnClassifier(logistic(), classes=classes).fit(X[rows], y[rows]) for rows in resampled(X, y, labelled)
        ]
        extra = {"ensemble": members, "fit_ensemble": False}
    elif needs == "clf to refit":
        extra = {"clf": SklearnClassifier(logistic(), classes=classes)}
    elif needs == "discriminator":
        extra = {"discriminator": SklearnClassifier(logistic())}
    elif needs:
        model = SklearnClassifier(logistic(), classes=classes).fit(X, partly)
        extra = {needs: model, f"fit_{needs}": False}
    strategy = getattr(pool, cls)(random_state=0, **options)
    return lambda: strategy.query(X, partly, batch_size=k, **extra)


def modal(name, X, y, labelled, k):
    from importlib import import_module

    from modAL.models import ActiveLearner, Committee
    from modAL.utils.selection import multi_argmax

    module, function = MODAL[name].split(".")
    strategy = getattr(import_module(f"modAL.{module}"), function)
    pool = np.delete(X, labelled, axis=0)
    if module == "disagreement":
        members = [
            ActiveLearner(logistic(), X_training=X[rows], y_training=y[rows]) for rows in resampled(X, y, labelled)
        ]
        committee = Committee(members, query_strategy=strategy)
        return lambda: committee.query(pool, n_instances=k)
    if module == "density":  # a measure, to be multiplied with a score
        from modAL.uncertainty import classifier_margin

        learner = ActiveLearner(logistic(), X_training=X[labelled], y_training=y[labelled])
        return lambda: multi_argmax((1 - classifier_margin(learner, pool)) * strategy(pool), n_instances=k)
    learner = ActiveLearner(logistic(), query_strategy=strategy, X_training=X[labelled], y_training=y[labelled])
    return lambda: learner.query(pool, n_instances=k)


def small_text(name, X, y, labelled, k):
    import small_text as library

    class Data:
        def __init__(self, x):
            self.x = x

        def __len__(self):
            return len(self.x)

        def __getitem__(self, rows):
            return Data(self.x[rows])

    inner = logistic().fit(X[labelled], y[labelled])

    class Classifier:
        def predict_proba(self, data):
            return inner.predict_proba(data.x)

        def embed(self, data, **_):
            return data.x

    rest = np.setdiff1d(np.arange(len(X)), labelled)
    strategy = getattr(library, SMALLTEXT[name])()
    extra = {"embeddings": X} if name == "k_center" else {}
    return lambda: strategy.query(Classifier(), Data(X), rest, labelled, y[labelled], n=k, **extra)


MAKE = {"scikit-activeml": skactiveml, "modAL": modal, "small-text": small_text}


def main():
    given = json.loads(sys.argv[1])
    X, y, labelled = linear_case(given["n"], given["d"])

    def measure(ask):
        return measured(MAKE[ask["library"]](ask["strategy"], X, y, labelled, ask["k"]), given["seconds"])

    for ask in given["asks"]:
        found = forked(lambda ask=ask: measure(ask), given["limit"])
        print(json.dumps({**ask, "n": given["n"], "d": given["d"], **found}), flush=True)


if __name__ == "__main__":
    main()
