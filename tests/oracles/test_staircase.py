import numpy as np
import pytest
from oracles import oracle_sessions as sim

from al_widgets.oracles.staircase import Staircase, psychometric


def test_psychometric_runs_from_guesses_to_lapses():
    p = psychometric([-100.0, -5.0, 100.0], -5.0, 2.0, 0.1, 0.04)
    np.testing.assert_allclose(p, [0.1, 0.1 + 0.86 / 2, 0.96])


def test_staircase_goes_down_after_a_yes_and_up_after_a_no():
    start = Staircase.start()
    assert start.next_amplitude == pytest.approx(-8)
    assert start.answered(-8.0, seen=True).next_amplitude < -8
    assert start.answered(-8.0, seen=False).next_amplitude > -8
    assert start.n == 0


def test_staircase_learns_false_alarms_from_catch_trials():
    liar = Staircase.start()
    for _ in range(10):
        liar = liar.answered(None, seen=True)
    guesses = liar.weights.sum(axis=(0, 1, 3))
    assert guesses @ liar.guesses > 0.18
    assert liar.next_amplitude == pytest.approx(-8)


def test_staircase_interval_narrows_and_chance_of_seeing_rises_with_amplitude():
    state, rng = Staircase.start(), np.random.default_rng(0)
    wide = state.threshold()
    for _ in range(40):
        s = state.next_amplitude
        state = state.answered(s, bool(rng.random() < psychometric(s, -12.0, 1.0, 0.05, 0.02)))
    narrow = state.threshold()
    assert narrow.n == 40
    assert narrow.high - narrow.low < (wide.high - wide.low) / 4
    assert narrow.low < -12 < narrow.high
    assert state.chance_of_seeing(-18) < state.chance_of_seeing(-12) < state.chance_of_seeing(0)


def test_staircase_finds_the_threshold_within_promise_and_beats_random_amplitudes():
    # Bench, 100 annotators: .77 dB against 1.36 dB.
    ours = np.array([sim.threshold_error(s, staircase=True) for s in range(60)])
    rand = np.array([sim.threshold_error(s, staircase=False) for s in range(60)])
    rms = np.sqrt((ours**2).mean())
    assert rms <= 1.2
    assert rms <= 0.75 * np.sqrt((rand**2).mean())


def test_staircase_start_refuses_an_empty_range():
    with pytest.raises(ValueError, match="below"):
        Staircase.start(4, -4)
