import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import oracle_sessions as sim

from al_widgets.errors import TaskError
from al_widgets.oracles import aggregate, consensus, consensus_multilabel, label_frame, reliability
from al_widgets.oracles.dawid_skene import fit
from al_widgets.oracles.kernel_ridge import KernelRidge

PRIOR_MEAN = 0.727


def frame(answers):
    return pd.DataFrame(
        {
            "item_id": [answers.items[i] for i in answers.item],
            "annotator": [answers.annotators[j] for j in answers.annotator],
            "value": [answers.classes[k] for k in answers.value],
        }
    )


def test_consensus_gives_back_the_answers_when_one_annotator_answered_once():
    rng = np.random.default_rng(0)
    values = rng.choice(["a", "b", "c"], 60, p=[0.9, 0.05, 0.05])
    log = pd.DataFrame({"item_id": [f"i{n}" for n in range(60)], "annotator": "x", "value": values})
    found = consensus(log)
    assert found["label"].tolist() == values.tolist()
    # Nobody checked the annotator: the confidence is the prior's, not 1.
    np.testing.assert_allclose(found["confidence"], PRIOR_MEAN, atol=0.02)
    path = reliability(log)
    assert (path["high"] - path["low"] > 0.3).all()


def test_consensus_has_the_promised_columns_when_a_class_is_named_like_one():
    log = pd.DataFrame({"item_id": ["i", "j"], "annotator": "x", "value": ["label", "cat"]})
    found = consensus(log)
    assert list(found.columns) == ["item_id", "label", "confidence", "n_annotations", "cat", "p(label)"]
    np.testing.assert_allclose(found[["cat", "p(label)"]].sum(axis=1), 1)


def test_consensus_of_nothing_is_an_empty_frame():
    found = consensus(pd.DataFrame({"item_id": [], "annotator": [], "value": []}))
    assert len(found) == 0
    assert list(found.columns) == ["item_id", "label", "confidence", "n_annotations"]


def test_consensus_with_a_single_class_is_certain():
    found = consensus(pd.DataFrame({"item_id": ["i"], "annotator": ["x"], "value": ["cat"]}))
    assert found.loc[0, "label"] == "cat"
    assert found.loc[0, "confidence"] == 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_consensus_is_a_distribution_and_does_not_depend_on_names(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    log = pd.DataFrame(
        {
            "item_id": rng.integers(0, 12, n).astype(str),
            "annotator": rng.integers(0, 4, n).astype(str),
            "value": rng.choice(list("uvw"), n),
        }
    )
    found = consensus(log, classes=["u", "v", "w"]).set_index("item_id")
    p = found[["u", "v", "w"]].to_numpy()
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(1), 1)
    swapped = log.replace({"value": {"u": "v", "v": "u"}})
    other = consensus(swapped, classes=["u", "v", "w"]).set_index("item_id")
    np.testing.assert_allclose(other[["v", "u", "w"]].to_numpy(), p, atol=1e-6)


def test_consensus_fixes_gold_items_and_learns_the_annotator_from_them():
    rng = np.random.default_rng(1)
    truth = rng.choice(["a", "b"], 120)
    wrong = rng.random(120) > 0.6
    values = np.where(wrong, np.where(truth == "a", "b", "a"), truth)
    log = pd.DataFrame({"item_id": np.arange(120).astype(str), "annotator": "x", "value": values})
    gold = {str(i): truth[i] for i in range(80)}
    found = consensus(log, gold=gold).set_index("item_id")
    assert all(found.loc[i, "label"] == t for i, t in gold.items())
    last = reliability(log, gold=gold).iloc[79]
    assert last["low"] < 1 - wrong[:80].mean() < last["high"]
    assert abs(last["accuracy"] - (1 - wrong[:80].mean())) < 0.12


def test_consensus_trusts_the_annotator_whom_others_confirm():
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, 200)
    rows = []
    for name, a in (("good", 0.95), ("fair", 0.8), ("poor", 0.4)):
        value = np.where(rng.random(200) < a, truth, (truth + rng.integers(1, 4, 200)) % 4)
        rows += [(str(i), name, str(v)) for i, v in enumerate(value)]
    log = pd.DataFrame(rows, columns=["item_id", "annotator", "value"])
    now = reliability(log).groupby("annotator")["accuracy"].mean()
    assert now["good"] > now["fair"] > now["poor"]
    np.testing.assert_allclose(now[["good", "fair", "poor"]], [0.95, 0.8, 0.4], atol=0.1)


def test_self_agreement_identifies_a_lone_annotator_when_items_are_repeated():
    rng = np.random.default_rng(3)
    accuracies = {}
    for a in (0.9, 0.5):
        truth = rng.integers(0, 5, 150)
        twice = [np.where(rng.random(150) < a, truth, (truth + rng.integers(1, 5, 150)) % 5) for _ in range(2)]
        log = pd.DataFrame(
            {
                "item_id": np.tile(np.arange(150).astype(str), 2),
                "annotator": "x",
                "value": np.concatenate(twice).astype(str),
                "query_kind": ["new"] * 150 + ["repeat"] * 150,
            }
        )
        accuracies[a] = reliability(log)["accuracy"].mean()
    assert accuracies[0.9] == pytest.approx(0.9, abs=0.06)
    assert accuracies[0.5] == pytest.approx(0.5, abs=0.12)


def test_unsure_lowers_the_confidence_of_the_item_and_points_to_the_class_that_draws_it():
    rows = [(f"c{i}", who, "label", "clear") for i in range(40) for who in "xyz"]
    rows += [(f"h{i}", who, "label", "hard") for i in range(40) for who in "xy"]
    rows += [(f"h{i}", "z", "unsure", None) for i in range(40)]
    rows += [("with", "x", "label", "clear"), ("with", "z", "unsure", None), ("without", "x", "label", "clear")]
    log = pd.DataFrame(rows, columns=["item_id", "annotator", "kind", "value"])
    found = consensus(log).set_index("item_id")
    assert found.loc["with", "confidence"] < found.loc["without", "confidence"] - 0.05
    assert found.loc["with", "hard"] > found.loc["without", "hard"]
    assert found.loc["with", "n_annotations"] == 1


def test_item_with_only_unsure_answers_has_no_label():
    log = pd.DataFrame(
        {
            "item_id": ["i", "j", "j"],
            "annotator": ["x", "x", "y"],
            "kind": ["unsure", "label", "label"],
            "value": [None, "a", "b"],
        }
    )
    found = consensus(log).set_index("item_id")
    assert found.loc["i", "label"] is None
    assert np.isnan(found.loc["i", "confidence"])
    assert found.loc["i", "n_annotations"] == 0


def test_classifier_overrules_a_lone_wrong_answer_but_not_on_audit_items():
    labels = sim.crowd("digits", 0, per_item=1, accuracies=(0.8,), drop=None)
    log, features = frame(labels.answers), pd.DataFrame(labels.X, index=labels.answers.items)
    answered = np.empty(400, int)
    answered[labels.answers.item] = labels.answers.value
    free = aggregate(log, features=features)
    order = [free.answers.items.index(i) for i in labels.answers.items]
    assert (free.posterior[order].argmax(1) == labels.y).mean() > (answered == labels.y).mean() + 0.1
    audit = labels.answers.items[:100]
    held = label_frame(aggregate(log, features=features, audit=audit)).set_index("item_id").loc[list(audit)]
    assert (held["label"].astype(int) == answered[:100]).all()


def test_scores_frame_aligns_by_item_and_ignores_a_classifier_that_knows_nothing():
    labels = sim.crowd("digits", 1, per_item=2)
    log, items = frame(labels.answers), list(labels.answers.items)
    rng = np.random.default_rng(0)
    good = pd.DataFrame(np.log(0.9 * np.eye(10)[labels.y] + 0.01), index=items, columns=labels.answers.classes)
    shuffled = good.sample(frac=1, random_state=0)
    noise = pd.DataFrame(rng.normal(size=(400, 10)), index=items, columns=labels.answers.classes)
    truth = pd.Series(labels.y.astype(str), index=items)

    def hits(scores):
        found = consensus(log, scores=scores, classes=labels.answers.classes).set_index("item_id")["label"]
        return (found == truth.loc[found.index]).mean()

    assert hits(shuffled) == hits(good) > 0.99
    assert hits(noise) >= hits(None) - 0.02
    assert aggregate(log, scores=noise, classes=labels.answers.classes).temperature <= 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scores": pd.DataFrame({"cow": [1.0]}, index=["i"])}, "a column a class"),
        ({"features": pd.DataFrame({"f": [1.0]}, index=["z"])}, "lack 2 of the 2"),
        ({"scores": lambda items, posterior: np.zeros((1, 1))}, "shape"),
        ({"scores": lambda items, posterior: np.full((2, 2), np.nan)}, "finite"),
        ({"gold": {"i": "cow"}, "classes": ["cat", "dog"]}, "'cow'"),
    ],
)
def test_aggregate_says_what_does_not_fit(options, message):
    log = pd.DataFrame({"item_id": ["i", "j"], "annotator": "x", "value": ["cat", "dog"]})
    with pytest.raises(TaskError, match=message):
        aggregate(log, **options)


def test_consensus_multilabel_asks_each_class_for_itself():
    truth = {f"i{n}": [c for k, c in enumerate("abc") if n >> k & 1] for n in range(8)}
    log = pd.DataFrame(
        [(i, who, value) for i, value in truth.items() for who in "xyz"], columns=["item_id", "annotator", "value"]
    )
    log["value"] = [["a", "b", "c"], *log["value"][1:]]  # one slip
    found = consensus_multilabel(log, ["a", "b", "c"]).set_index("item_id")
    assert found["label"].to_dict() == truth
    assert list(found.columns) == ["label", "confidence", "n_annotations", "a", "b", "c"]


def test_fit_recovers_labels_and_path_of_drifting_annotators():
    # Bench over 10 seeds: labels .985 ± .007 (SD), path .043 ± .02, static path .114 ± .004, Dawid-Skene .636 ± .03.
    ours, baseline, moving, static = [], [], [], []
    for seed in range(3):
        labels = sim.crowd("digits", seed)
        ridge = KernelRidge(labels.X).leave_one_out
        result = fit(labels.answers, ridge)
        ours.append((result.posterior.argmax(1) == labels.y).mean())
        baseline.append((sim.dawid_skene(labels.answers, one_coin=False) == labels.y).mean())
        moving.append(np.sqrt(((result.accuracy - labels.accuracy) ** 2).mean()))
        still = fit(labels.answers, ridge, drift=0.0, jump=0.0)
        static.append(np.sqrt(((still.accuracy - labels.accuracy) ** 2).mean()))
    assert np.mean(ours) >= 0.965
    assert np.mean(ours) >= np.mean(baseline) + 0.25
    assert np.mean(moving) <= 0.075
    assert np.mean(static) >= 0.09


def test_fit_needs_no_classifier_but_gains_from_it_with_one_label_an_item():
    labels = sim.crowd("digits", 4, per_item=1)
    alone = fit(labels.answers).posterior.argmax(1)
    assert (alone == sim.majority(labels.answers, np.random.default_rng(0))).all()
    assert (fit(labels.answers, KernelRidge(labels.X).leave_one_out).posterior.argmax(1) == labels.y).mean() > 0.94


def test_reliability_intervals_cover_the_true_path_about_as_often_as_they_say():
    covered = []
    for seed in range(4):
        labels = sim.crowd("digits", 20 + seed)
        log = frame(labels.answers)
        path = reliability(log, features=pd.DataFrame(labels.X, index=labels.answers.items), level=0.9)
        truth = np.concatenate(
            [labels.accuracy[labels.answers.annotator == int(j)] for j in path["annotator"].unique()]
        )
        covered.append(((path["low"] <= truth) & (truth <= path["high"])).mean())
    assert np.mean(covered) > 0.75


def test_start_gives_the_same_labels_as_a_fit_afresh():
    labels = sim.crowd("digits", 5)
    ridge = KernelRidge(labels.X).leave_one_out
    first = fit(labels.answers, ridge)
    again = fit(labels.answers, ridge, start=first, rounds=2)
    assert (first.posterior.argmax(1) == again.posterior.argmax(1)).mean() > 0.98


def test_consensus_and_reliability_do_without_any_label():
    log = pd.DataFrame({"item_id": ["i", "j"], "annotator": "x", "kind": "unsure", "value": None})
    found = consensus(log, classes=["a", "b"])
    assert found["label"].tolist() == [None, None]
    np.testing.assert_allclose(found[["a", "b"]], 0.5)
    assert len(reliability(log, classes=["a", "b"])) == 0
    assert len(reliability(log.head(0))) == 0


def test_confusion_is_not_learnt_from_answers_nobody_checked():
    log = pd.DataFrame(
        {"item_id": np.arange(100).astype(str), "annotator": "x", "value": ["a"] * 90 + ["b"] * 5 + ["c"] * 5}
    )
    np.testing.assert_allclose(aggregate(log).confusion[0], (1 - np.eye(3)) / 2, atol=0.02)


@pytest.mark.parametrize("level", [0, 1, 2, 95, "0.9"])
def test_reliability_refuses_a_level_that_is_no_share(level) -> None:
    with pytest.raises(TaskError, match=r"\(0.9, not 90\), must be a number"):
        reliability(pd.DataFrame({"item_id": ["a"], "annotator": ["x"], "value": ["u"]}), level=level)


def test_features_that_cannot_be_used_are_named_for_what_is_wrong() -> None:
    log = pd.DataFrame({"item_id": ["a", "b"], "annotator": ["x", "x"], "value": ["u", "v"]})
    with pytest.raises(TaskError, match="1 of 2 rows hold NaN or infinity, the first is row 1"):
        consensus(log, features=pd.DataFrame([[1.0], [np.nan]], index=["a", "b"]))
    with pytest.raises(TaskError, match="must be a DataFrame with the item ids as index, not ndarray"):
        consensus(log, features=np.ones((2, 1)))
