"""The contract, for every learner we ship and for scikit-learn classifiers behind the adapter."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from al_widgets.errors import LearnerError
from al_widgets.learning import CommitteeLearner, SklearnLearner, as_learner, default_learner, logistic_learner
from al_widgets.testing.learner import LearnerContract, three_clusters


class TestDefault(LearnerContract):
    def make(self):
        return default_learner()


class TestLogistic(LearnerContract):
    def make(self):
        return logistic_learner()


class TestForest(LearnerContract):
    def make(self):
        return as_learner(RandomForestClassifier(30, random_state=0))


class TestCommittee(LearnerContract):
    def make(self):
        return CommitteeLearner(n_members=3)


def test_as_learner_gives_the_default_for_none():
    assert type(as_learner(None)) is type(default_learner())


def test_as_learner_gives_a_learner_back():
    learner = logistic_learner()
    assert as_learner(learner) is learner


@pytest.mark.parametrize("what", [SVC(), KNeighborsClassifier, "logistic", 3])
def test_as_learner_refuses_what_gives_no_probabilities(what):
    with pytest.raises(LearnerError, match="predict_proba"):
        as_learner(what)


def test_adapter_fits_a_pipeline_that_takes_no_weights():
    X, y = three_clusters()
    learner = as_learner(make_pipeline(StandardScaler(), KNeighborsClassifier(1)))
    learner.fit(X, np.arange(9), y[:9], 3, np.ones(9))
    assert (learner.pool_probabilities().argmax(axis=1) == y).mean() > 0.95


def test_adapter_says_which_estimator_failed():
    X, y = three_clusters()
    with pytest.raises(LearnerError, match="KNeighborsClassifier could not"):
        SklearnLearner(KNeighborsClassifier(n_neighbors=50)).fit(X, np.arange(9), y[:9], 3).pool_probabilities()


def test_linear_pass_gives_what_scikit_learn_gives():
    from al_widgets.learning.linear import linear_probabilities

    X, y = three_clusters()
    for classes in (y, (y > 0).astype(int)):
        model = logistic_learner().fit(X, np.arange(30), classes[:30], 3).estimator
        np.testing.assert_allclose(linear_probabilities(model, X), model.predict_proba(X), atol=1e-5)


def test_committee_members_differ():
    X, y = three_clusters()
    members = CommitteeLearner(n_members=3).fit(X, np.arange(12), y[:12], 3).members
    assert not np.allclose(members[0].pool_probabilities(), members[1].pool_probabilities())


def test_committee_refuses_a_single_member():
    with pytest.raises(LearnerError, match="2 members"):
        CommitteeLearner(n_members=1)
