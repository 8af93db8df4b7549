"""The display chain: what each step does to signals with a known answer, and what none of them ever does."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_widgets.features.gpr_processing import (
    Recipe,
    bandpass,
    dewow,
    envelope,
    gain_agc,
    gain_sec,
    migrate,
    noise_floor,
    remove_background,
    time_zero,
)
from al_widgets.features.gpr_synthesis import ricker, travel_time_ns

DT, DX, V = 0.05, 0.02, 0.13


def diffractor(depth=0.3, x0=1.0, shape=(200, 100), start=20):
    """Section of one point at `depth`, its apex at sample start + 2 depth / v."""
    t = (np.arange(shape[0]) - start) * DT
    arrival = travel_time_ns(np.arange(shape[1]) * DX - x0, 0.0, depth, velocity=V)
    return ricker(t[:, None] - arrival[None, :], 1.0).astype(np.float32)


STEPS = {
    "dewow": lambda s: dewow(s, 15),
    "background mean": lambda s: remove_background(s, "mean"),
    "background median": lambda s: remove_background(s, "median"),
    "background window": lambda s: remove_background(s, "mean", 11),
    "background median window": lambda s: remove_background(s, "median", 5),
    "sec": lambda s: gain_sec(s, DT, power=1.5, alpha_per_ns=0.2),
    "agc": lambda s: gain_agc(s, 21),
    "bandpass": lambda s: bandpass(s, DT, 500, 1500),
    "envelope": envelope,
    "stolt": lambda s: migrate(s, DT, DX, V, 3),
}


@pytest.mark.parametrize("name", STEPS)
@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(20, 60), st.integers(1, 20)),
    dtype=st.sampled_from(["int8", "int16", "int32", "float32", "float64", "uint16"]),
    seed=st.integers(0, 99),
)
def test_every_step_keeps_shape_and_data_and_gives_finite_values(name, shape, dtype, seed):
    rng = np.random.default_rng(seed)
    section = (rng.standard_normal(shape) * 100).astype(dtype)
    if dtype.startswith("float") and seed % 3 == 0:
        section[0, 0], section[-1, -1] = np.nan, np.inf
    before = section.copy()
    result = STEPS[name](section)
    assert result.shape == section.shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert np.array_equal(section, before, equal_nan=dtype.startswith("float"))


@pytest.mark.parametrize("name", [n for n in STEPS if n not in ("sec", "agc")])
def test_steps_treat_stacked_lines_like_each_line(name):
    lines = np.random.default_rng(0).standard_normal((3, 40, 12)).astype(np.float32)
    assert np.allclose(STEPS[name](lines), np.stack([STEPS[name](line) for line in lines]), atol=1e-5)


def test_time_zero_finds_the_direct_wave():
    section = np.zeros((100, 10))
    section[30:40] = 50
    assert time_zero(section) == 30
    assert time_zero(np.zeros((10, 3))) == 0


def test_dewow_removes_an_offset_and_keeps_the_wavelet():
    wavelet = ricker(np.arange(-60, 60) * DT, 1.0)[:, None]
    result = dewow(wavelet + 7, 41)
    assert np.abs(result[:20]).max() < 0.1
    assert np.argmax(result) == 60


def test_remove_background_median_leaves_no_ghost_beside_a_strong_object():
    section = np.tile(np.sin(np.arange(50))[:, None], (1, 40))
    section[20:25, 10:15] += 100
    median, mean = remove_background(section, "median"), remove_background(section, "mean")
    assert np.abs(median[20:25, 20:]).max() < 1e-5
    assert np.abs(mean[20:25, 20:]).max() > 10


def test_gain_sec_grows_from_time_zero_and_stops_at_the_cap():
    flat = np.ones((100, 4))
    result = gain_sec(flat, 0.1, time_zero_sample=10, power=1, max_gain=5)
    assert result[10, 0] == 1
    assert result[20, 0] == pytest.approx(2)
    assert result[-1, 0] == pytest.approx(5)
    assert (np.diff(result[:, 0]) >= 0).all()


def test_gain_sec_stops_where_the_signal_sinks_into_noise():
    rng = np.random.default_rng(0)
    decay = np.exp(-np.arange(300) / 20)[:, None] * 1000 + rng.standard_normal((300, 50))
    floor = noise_floor(decay)
    assert 80 < floor < 200
    result = gain_sec(decay, 1.0, power=0, alpha_per_ns=0.05)
    assert np.abs(result[-1]).max() < 10 * np.exp(0.05 * floor)


def test_gain_agc_levels_amplitudes_without_raising_silence():
    section = np.concatenate([np.full((50, 3), 100.0), np.full((50, 3), 1.0), np.zeros((50, 3))])
    result = gain_agc(section, 9)
    assert result[20, 0] == pytest.approx(1)
    assert result[75, 0] == pytest.approx(1)
    assert not result[140:].any()


def test_envelope_of_a_wave_is_its_amplitude():
    t = np.arange(400)
    wave = (3 * np.sin(2 * np.pi * t / 20))[:, None]
    assert envelope(wave)[50:-50] == pytest.approx(3, rel=0.02)


def test_bandpass_keeps_the_band_and_refuses_one_beyond_nyquist():
    t = np.arange(400) * DT
    inside, outside = np.sin(2 * np.pi * 1.0 * t)[:, None], np.sin(2 * np.pi * 5.0 * t)[:, None]
    assert np.abs(bandpass(inside, DT, 500, 1500)[100:-100]).max() > 0.9
    assert np.abs(bandpass(outside, DT, 500, 1500)[100:-100]).max() < 0.02
    with pytest.raises(ValueError, match="between 0 and 10000"):
        bandpass(inside, DT, 500, 20000)


@pytest.mark.parametrize(("depth", "x0"), [(0.2, 1.0), (0.35, 0.7)])
def test_migrate_collapses_a_hyperbola_to_its_apex(depth, x0):
    section = diffractor(depth, x0)
    result = envelope(migrate(section, DT, DX, V, 20))
    row, column = np.unravel_index(result.argmax(), result.shape)
    assert abs(row - (20 + 2 * depth / V / DT)) <= 2
    assert abs(column - x0 / DX) <= 1

    def width(values):  # share of energy within four traces of the apex
        energy = (values**2).sum(axis=0)
        return energy[column - 4 : column + 5].sum() / energy.sum()

    assert width(result) > 0.75
    assert width(envelope(section)) < 0.45


def test_migrate_with_a_wrong_velocity_focuses_less():
    section = diffractor()
    peak = {v: envelope(migrate(section, DT, DX, v, 20)).max() for v in (0.09, V, 0.2)}
    assert peak[V] > peak[0.09]
    assert peak[V] > peak[0.2]


def test_recipe_survives_json_and_applies_the_same():

    recipe = Recipe(
        dewow_ns=2,
        background="mean",
        background_m=0.5,
        band_mhz=(400, 1600),
        gain="agc",
        velocity_m_per_ns=V,
        show_envelope=True,
    )
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    section = diffractor()
    assert np.array_equal(recipe.apply(section, DT, DX, 20), again.apply(section, DT, DX, 20))
    assert recipe.apply(section, DT, DX, 20).shape == section.shape
    assert np.array_equal(Recipe(background="none").apply(section, DT, DX), section)
