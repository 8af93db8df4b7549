"""The synthetic survey as users meet it."""

import numpy as np
import pytest

import al_widgets as al


def test_gpr_survey_is_a_volume_with_its_truth():
    survey = al.datasets.gpr_survey(3, lines=6, samples=128, traces=64, n_targets=2, n_clutter=20)
    assert survey.volume.array.shape == survey.objects.shape == survey.mask.shape == (6, 128, 64)
    assert [(a.name, a.unit) for a in survey.volume.axes] == [("line", "m"), ("time", "ns"), ("distance", "m")]
    assert survey.volume.axes[1].index(0.0) > 0  # time-zero lies within the section
    assert set(np.unique(survey.mask)) == {0, 1}
    for number, target in enumerate(survey.targets, 1):
        assert (survey.objects == number).sum() == target.voxels
    assert survey.found_at_best == len(np.unique(survey.objects)) - 1
    assert survey.volume.name == "survey3"


def test_gpr_survey_is_the_same_for_the_same_seed():
    scene = {"lines": 3, "samples": 96, "traces": 40, "n_targets": 1, "n_clutter": 5}
    one, two, other = (al.datasets.gpr_survey(seed, **scene) for seed in (1, 1, 2))
    assert np.array_equal(one.volume.array, two.volume.array)
    assert not np.array_equal(one.volume.array, other.volume.array)


def test_gpr_survey_names_what_can_be_set():
    with pytest.raises(al.errors.PoolError, match=r"no 'depth'.*n_targets"):
        al.datasets.gpr_survey(0, depth=3)
