"""How soon a stroke is answered: fit and predict a section of 512 x 512, by this package and by what is used elsewhere.

Features are computed before the clock starts, for everybody. A stroke is added each time; every contender is fitted on all strokes so far
and predicts the whole section; they take turns, so that a busy machine is busy for all.
"""

import time

import numpy as np

import al_widgets as al
from al_widgets.features.pixels import PixelFeatures
from al_widgets.learning.pixels import UNLABELLED, PixelLearner

SIDE = 512
SECTION = 1
BRUSH = 5


def survey():
    """Four lines of 512 x 512: four times as much ground to the picture as a short line."""
    return al.datasets.gpr_survey(
        1, lines=4, samples=SIDE, traces=SIDE, n_targets=8, n_clutter=700, dt_ns=0.02, trace_spacing_m=0.01
    )


def strokes(truth, n, rng):
    """Yield `n` strokes (pixels, class), in turn on an object and on soil: walks of a round brush that keep to what they paint."""
    row, column = np.mgrid[-BRUSH : BRUSH + 1, -BRUSH : BRUSH + 1]
    disc = np.argwhere(row**2 + column**2 <= BRUSH**2) - BRUSH
    for number in range(n):
        value = 1 - number % 2
        at = np.argwhere(truth == value)
        here, heading, seen = at[rng.integers(len(at))].astype(float), rng.uniform(0, 2 * np.pi), []
        for _ in range(20):
            pixels = disc + here.round().astype(int)
            inside = ((pixels >= 0) & (pixels < SIDE)).all(axis=1)
            pixels = pixels[inside]
            seen.append(pixels[truth[pixels[:, 0], pixels[:, 1]] == value])
            heading += rng.normal(0, 0.4)
            here = np.clip(here + 4 * np.array([np.sin(heading), np.cos(heading)]), 0, SIDE - 1)
        yield np.unique(np.concatenate(seen), axis=0), value


def contenders(made):
    """Return name → (mask → foreground probability of the section), features computed."""
    from skimage.feature import multiscale_basic_features
    from skimage.future import fit_segmenter, predict_segmenter
    from sklearn.ensemble import RandomForestClassifier

    features = PixelFeatures(made.volume.array)
    features.section(SECTION)
    section = made.volume.array[SECTION]
    # As in scikit-image's own example of trainable segmentation, its features and its forest.
    basic = multiscale_basic_features(section, intensity=True, edges=False, texture=True, sigma_min=1, sigma_max=16)

    def ours(estimator):
        def answer(mask):
            learner = PixelLearner(estimator).fit(features, {SECTION: mask}, 2)
            return learner.probabilities(features, SECTION)[..., 1]

        return answer

    def forest(mask):
        labelled = np.flatnonzero(mask.ravel() != UNLABELLED)
        model = RandomForestClassifier(100, random_state=0)
        model.fit(features.pixels(SECTION, labelled), mask.ravel()[labelled])
        return model.predict_proba(features.section(SECTION))[:, 1].reshape(mask.shape)

    def trainable(mask):
        training = np.where(mask == UNLABELLED, 0, mask + 1)
        model = RandomForestClassifier(n_estimators=50, n_jobs=-1, max_depth=10, max_samples=0.05, random_state=0)
        return (predict_segmenter(basic, fit_segmenter(training, basic, model)) == 2).astype(float)

    return {
        "al_widgets": ours(None),
        "RandomForest(100), same features": forest,
        "scikit-image trainable_segmentation": trainable,
    }


def measure(n=20):
    """Print wall and CPU milliseconds from a stroke to the refreshed section, and how good it is."""
    from sklearn.metrics import average_precision_score

    made = survey()
    truth = made.mask[SECTION]
    running = contenders(made)
    mask = np.full(truth.shape, UNLABELLED, np.uint8)
    times = {name: [] for name in running}
    quality = {}
    for number, (pixels, value) in enumerate(strokes(truth, n + 2, np.random.default_rng(0))):
        mask[pixels[:, 0], pixels[:, 1]] = value
        if number < 1:
            continue  # no model without two classes
        for name, answer in running.items():
            wall, cpu = time.perf_counter(), time.process_time()
            found = answer(mask)
            if number > 1:  # the first loads libraries
                times[name].append((1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)))
            quality[name] = average_precision_score(truth.ravel(), found.ravel())
    n_pixels = int((mask != UNLABELLED).sum())
    print(f"stroke → refreshed prediction of {SIDE} x {SIDE}, features cached, up to {n_pixels:,} painted pixels")
    for name, taken in times.items():
        wall, cpu = np.array(taken).T
        low, median, high = np.percentile(wall, [5, 50, 95])
        target = "   target 500 ms median" if name == "al_widgets" else ""
        print(
            f"  {name:<38} median {median:6.0f} ms [5 to 95 %: {low:.0f} to {high:.0f}]   CPU {np.median(cpu):6.0f} ms   "
            f"AP at the end {quality[name]:.2f}   n {len(taken)}{target}",
            flush=True,
        )
