"""The same queries by scikit-activeml, modAL and small-text, run in a virtual environment of their own.

``python query_peers.py '{"library": ..., "strategy": ..., "n": ..., "d": ..., "k": ...}'`` prints one JSON line.
"""

import json
import sys
import warnings

import numpy as np
from measuring import linear_case, measured

warnings.filterwarnings("ignore")

SKACTIVEML = {
    "least_confidence": ("UncertaintySampling", {"method": "least_confident"}, "clf"),
    "margin": ("UncertaintySampling", {"method": "margin_sampling"}, "clf"),
    "entropy": ("UncertaintySampling", {"method": "entropy"}, "clf"),
    "k_center": ("CoreSet", {}, None),
    "badge": ("Badge", {}, "clf"),
    "typical_clusters": ("TypiClust", {}, None),
    "probability_coverage": ("ProbCover", {"n_classes": 10}, None),
    "discriminative": ("DiscriminativeAL", {}, "discriminator"),
    "herding": ("MaxHerding", {}, None),
    "random": ("RandomSampling", {}, None),
}
MODAL = {"least_confidence": "uncertainty_sampling", "margin": "margin_sampling", "entropy": "entropy_sampling"}
SMALLTEXT = {
    "least_confidence": "LeastConfidence",
    "margin": "BreakingTies",
    "entropy": "PredictionEntropy",
    "k_center": "GreedyCoreset",
}


def skactiveml(name, X, y, labelled, k):
    from skactiveml import pool
    from skactiveml.classifier import SklearnClassifier
    from sklearn.linear_model import LogisticRegression

    cls, options, needs = SKACTIVEML[name]
    partly = np.full(len(X), np.nan)
    partly[labelled] = y[labelled]
    model = SklearnClassifier(LogisticRegression(max_iter=200), classes=np.arange(10)).fit(X, partly)
    strategy = getattr(pool, cls)(random_state=0, **options)
    extra = {"clf": {"clf": model, "fit_clf": False}, "discriminator": {"discriminator": model}}.get(needs, {})
    return lambda: strategy.query(X, partly, batch_size=k, **extra)


def modal(name, X, y, labelled, k):
    from modAL import uncertainty
    from modAL.models import ActiveLearner
    from sklearn.linear_model import LogisticRegression

    learner = ActiveLearner(
        LogisticRegression(max_iter=200),
        query_strategy=getattr(uncertainty, MODAL[name]),
        X_training=X[labelled],
        y_training=y[labelled],
    )
    pool = np.delete(X, labelled, axis=0)
    return lambda: learner.query(pool, n_instances=k)


def small_text(name, X, y, labelled, k):
    import small_text
    from sklearn.linear_model import LogisticRegression

    class Data:
        def __init__(self, x):
            self.x = x

        def __len__(self):
            return len(self.x)

        def __getitem__(self, rows):
            return Data(self.x[rows])

    inner = LogisticRegression(max_iter=200).fit(X[labelled], y[labelled])

    class Classifier:
        def predict_proba(self, data):
            return inner.predict_proba(data.x)

        def embed(self, data, **_):
            return data.x

    rest = np.setdiff1d(np.arange(len(X)), labelled)
    strategy = getattr(small_text, SMALLTEXT[name])()
    extra = {"embeddings": X} if name == "k_center" else {}
    return lambda: strategy.query(Classifier(), Data(X), rest, labelled, y[labelled], n=k, **extra)


if __name__ == "__main__":
    ask = json.loads(sys.argv[1])
    X, y, labelled = linear_case(ask["n"], ask["d"])
    make = {"scikit-activeml": skactiveml, "modAL": modal, "small-text": small_text}[ask["library"]]
    run = make(ask["strategy"], X, y, labelled, ask["k"])
    print(json.dumps(measured(run, ask["seconds"])))
