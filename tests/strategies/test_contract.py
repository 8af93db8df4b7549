"""The contract, for every strategy of the catalogue and every batch mode."""

import pytest

from al_widgets import strategies
from al_widgets.strategies.batch import SELECTORS
from al_widgets.testing.strategy import StrategyContract

# Draw by their nature; k-means seeds are drawn too, so another order of items gives another batch.
DRAWS = {
    "random", "power", "badge", "typical_clusters", "weighted_kmeans", "gradient_kmeans", "probability_coverage",
    "expected_error",  # samples candidates when each costs refits
}  # fmt: skip
TIES = {"vote_entropy", "probability_coverage"}
NO_FEATURES = {"random", "power", "batchbald"}


@pytest.fixture(params=list(strategies.names()))
def name(request):
    return request.param


class TestCatalogue(StrategyContract):
    @pytest.fixture(autouse=True)
    def choose(self, name):
        self.name = name
        self.draws = name in DRAWS
        self.ties = name in TIES
        self.uses_features = name not in NO_FEATURES

    def make(self):
        return strategies.get(self.name)


class TestBatchModes(StrategyContract):
    @pytest.fixture(autouse=True, params=sorted(SELECTORS))
    def choose(self, request):
        self.mode = request.param
        self.draws = request.param == "power"
        self.uses_features = request.param not in {"power", "top"}

    def make(self):
        return strategies.get("entropy", batch=self.mode)
