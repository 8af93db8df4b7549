"""The forward model: travel times and amplitudes by the formulae, truth where the echoes are."""

import numpy as np
import pytest

from al_widgets.features.gpr_processing import envelope
from al_widgets.features.gpr_synthesis import (
    Scene,
    attenuation_np_per_m,
    reflection_coefficient,
    ricker,
    synthesize,
    travel_time_ns,
    velocity_m_per_ns,
)

QUIET = {"n_clutter": 0, "roughness_m": 0.0, "snr": 1e6}


def test_formulae_agree_with_known_values():
    assert velocity_m_per_ns(9) == pytest.approx(0.0999308)
    assert reflection_coefficient(3, 3) == 0  # a plastic mine in dry sand vanishes
    assert reflection_coefficient(1, 4) == pytest.approx(-1 / 3)
    # 1.64 sigma[mS/m] / sqrt(eps) dB/m
    assert attenuation_np_per_m(0.01, 4) * 8.685889638 == pytest.approx(1.636 * 10 / 2, rel=1e-3)
    assert ricker(0.0, 1.5) == 1
    assert ricker(np.linspace(-5, 5, 20001), 1.5).sum() == pytest.approx(0, abs=1e-6)


def test_travel_time_agrees_with_a_full_wave_simulation():
    """A gprMax A-scan of a metal cylinder (eps 6, 8 cm deep, antennas 4 cm apart) peaks at 2.293 ns, wavelet delay included."""
    time = travel_time_ns(0, 0, 0.08, velocity=velocity_m_per_ns(6), separation_m=0.04) + np.sqrt(2) / 1.5
    assert float(time) == pytest.approx(2.293, abs=0.05)


@pytest.mark.parametrize("depth", [0.1, 0.3])
def test_travel_time_is_a_hyperbola_for_joined_antennas(depth):
    x = np.linspace(-1, 1, 21)
    t = travel_time_ns(x, 0.0, depth, velocity=0.12)
    assert (t * 0.12 / 2) ** 2 == pytest.approx(x**2 + depth**2)


def test_synthesize_is_reproducible_and_differs_between_seeds():
    scene = Scene(lines=6, samples=96, traces=48, n_targets=2, n_clutter=20)
    one, two, other = synthesize(scene, 1), synthesize(scene, 1), synthesize(scene, 2)
    assert np.array_equal(one.array, two.array)
    assert np.array_equal(one.labels, two.labels)
    assert one.targets == two.targets
    assert not np.array_equal(one.array, other.array)
    assert (one.array.dtype, one.labels.dtype) == (np.float32, np.uint8)


def test_synthesize_puts_truth_and_echo_at_the_predicted_apex():
    for seed in range(4):
        survey = synthesize(Scene(n_targets=1, samples=200, **QUIET), seed)
        target = survey.targets[0]
        line, sample, trace = (round(v) for v in target.apex)
        assert survey.labels[line, sample - 3 : sample + 8, trace].any(), (seed, target)
        first, last = target.box[:3], target.box[3:]
        assert all(a <= b <= c for a, b, c in zip(first, (line, sample + 2, trace), last, strict=True))
        assert target.voxels == (survey.labels == 1).sum()
        inside = survey.labels[first[0] : last[0], first[1] : last[1], first[2] : last[2]]
        assert (inside == 1).sum() == target.voxels


def test_synthesize_hides_plastic_in_dry_sand():
    strong, weak = (
        [
            t
            for s in range(3)
            for t in [synthesize(Scene(n_targets=1, permittivity=e, samples=160, lines=12, traces=96, **QUIET), s)]
        ]
        for e in (9.0, 3.0)
    )
    for a, b in zip(strong, weak, strict=True):
        assert a.targets[0].kind == b.targets[0].kind
        if a.targets[0].kind == "mine_ap_plastic":
            assert b.targets[0].voxels == 0
            assert a.targets[0].voxels > 0


def test_synthesize_axes_have_time_zero_at_the_direct_wave():
    survey = synthesize(Scene(n_targets=0, antenna_separation_m=0.0, antenna_height_m=0.2, **QUIET), 0)
    name, unit, step, origin = survey.axes[1]
    assert (name, unit) == ("time", "ns")
    direct = envelope(survey.array[0])[:60].mean(axis=1).argmax()
    assert origin + direct * step == pytest.approx(0, abs=0.1)
