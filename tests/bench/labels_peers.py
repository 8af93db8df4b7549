"""Queries by scikit-activeml, modAL and small-text on the same features, labels and seeds: their own query code.

Runs in an environment that has them and NumPy, scikit-learn; models are what their documentation uses: logistic regression,
and a support-vector machine, the better of which counts.
"""

import warnings

import numpy as np

warnings.filterwarnings("ignore")

PEERS = {
    "scikit-activeml": [
        "RandomSampling", "UncertaintySampling:margin_sampling", "UncertaintySampling:entropy", "Badge", "CoreSet", "TypiClust",
        "ProbCover", "Clue", "DropQuery", "Falcun", "ContrastiveAL", "DiscriminativeAL", "QueryByCommittee",
    ],
    "modAL": ["margin_sampling", "entropy_sampling", "uncertainty_batch_sampling"],
    "small-text": ["BreakingTies", "PredictionEntropy", "LeastConfidence", "EmbeddingKMeans"],
}  # fmt: skip

#: Strategies of scikit-activeml that ask no classifier.
FREE = {"RandomSampling", "CoreSet", "TypiClust", "ProbCover"}


def model(kind):
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    if kind == "logistic":
        return LogisticRegression(C=10, max_iter=200)
    return SVC(C=10, gamma="scale")


class Chances:
    """A fitted classifier with a column for every class; a support-vector machine by softmax of twice its decision."""

    def __init__(self, kind, X, y, n_classes):
        self.n_classes, self.classes_ = n_classes, np.arange(n_classes)
        self.seen = np.unique(y)
        self.inner = model(kind).fit(X, y) if len(self.seen) > 1 else None

    def predict_proba(self, X, **_):
        full = np.zeros((len(X), self.n_classes))
        if self.inner is None:
            full[:, self.seen] = 1
            return full
        if hasattr(self.inner, "predict_proba"):
            full[:, self.seen] = self.inner.predict_proba(X)
            return full
        z = self.inner.decision_function(X)
        z = 2 * (np.stack([-z, z], axis=1) if z.ndim == 1 else z)
        z = np.exp(z - z.max(axis=1, keepdims=True))
        full[:, self.seen] = z / z.sum(axis=1, keepdims=True)
        return full

    def predict(self, X):
        if self.inner is None:
            return np.full(len(X), self.seen[0])
        return self.inner.predict(X)


def query(library, name, kind, fitted, X, y, labelled, k, rng, n_classes):
    """Return k rows of X."""
    rest = np.setdiff1d(np.arange(len(X)), labelled)
    k = min(k, len(rest))
    if library == "scikit-activeml":
        return _skactiveml(name, kind, X, y, labelled, k, rng, n_classes)
    if library == "modAL":
        import modAL.batch
        import modAL.uncertainty

        fitted.X_training, fitted.on_transformed = X[labelled], False
        fitted.estimator = fitted
        module = modAL.batch if name == "uncertainty_batch_sampling" else modAL.uncertainty
        chosen = getattr(module, name)(fitted, X[rest], n_instances=k)
        return rest[np.asarray(chosen[0]).reshape(-1)]
    import small_text

    np.random.seed(int(rng.integers(1 << 30)))  # noqa: NPY002 - the library draws from the global state

    class Data:
        def __init__(self, x):
            self.x = x

        def __len__(self):
            return len(self.x)

        def __getitem__(self, rows):
            return Data(self.x[rows])

    class Classifier:
        def predict_proba(self, data):
            return fitted.predict_proba(data.x)

        def embed(self, data, return_proba=False, **_):
            return (data.x, fitted.predict_proba(data.x)) if return_proba else data.x

    strategy = getattr(small_text, name)()
    extra = {"embeddings": X} if name == "EmbeddingKMeans" else {}
    chosen = strategy.query(Classifier(), Data(X), rest, labelled, y[labelled], n=k, **extra)
    return np.asarray(chosen)


def _skactiveml(name, kind, X, y, labelled, k, rng, n_classes):
    import inspect

    from skactiveml import pool
    from skactiveml.classifier import SklearnClassifier
    from sklearn.svm import SVC

    cls, _, method = name.partition(":")
    options = {"method": method} if method else {}
    if cls == "ProbCover":
        options["n_classes"] = n_classes
    strategy = getattr(pool, cls)(random_state=int(rng.integers(1 << 30)), **options)
    partly = np.full(len(X), np.nan)
    partly[labelled] = y[labelled]
    inner = SVC(C=10, gamma="scale", probability=True) if kind == "svm" else model(kind)
    classifier = SklearnClassifier(inner, classes=np.arange(n_classes))
    parameters = inspect.signature(strategy.query).parameters
    extra = {}
    for argument in ("clf", "estimator", "discriminator"):
        if argument in parameters:
            extra[argument] = classifier
    if cls == "QueryByCommittee":
        from sklearn.ensemble import BaggingClassifier

        bag = BaggingClassifier(model("logistic"), n_estimators=5, random_state=0)
        extra = {"ensemble": SklearnClassifier(bag, classes=np.arange(n_classes))}
    return np.asarray(strategy.query(X, partly, batch_size=k, **extra)).reshape(-1)
