"""E2 and E4 through whole sessions: injected targets in simulated radar, answered by somebody who overlooks weak ones."""

from __future__ import annotations

import numpy as np
from promises import row
from sklearn.ensemble import ExtraTreesClassifier

import al_widgets as al
from al_widgets.learning.pixels import PixelLearner
from al_widgets.oracles import SimulatedPainter

TRIALS = 40


def session_threshold(seed: int) -> tuple[float, bool, int]:
    """Return the error of a threshold after 40 trials (dB), whether its interval covers, and trials found where none may be."""
    rng = np.random.default_rng(seed)
    threshold = float(rng.uniform(-2, 14))
    survey = al.datasets.gpr_survey(seed, lines=80, samples=72, traces=64, n_targets=2, n_clutter=40)
    pool = al.SlicePool(survey.volume)
    quick = PixelLearner(ExtraTreesClassifier(4, random_state=0))
    with al.Session(
        pool, al.Segmentation(["soil", "mine"]), store=":memory:", annotator="ann", strategy="interval", learner=quick,
        injected=al.InjectedTargets(rate=0.5), batch_size=500, seed=seed,
    ) as session:  # fmt: skip
        painter = SimulatedPainter(
            dict(zip(pool.item_ids, survey.mask, strict=True)), threshold, width_db=float(rng.uniform(0.7, 3)),
            guess=float(rng.uniform(0.02, 0.15)), lapse=float(rng.uniform(0.01, 0.06)),
            trial=session.trial, trial_truth=session.trial_truth, seed=seed,
        )  # fmt: skip
        trials = set()
        for query in session.queries(wait=False):
            session.submit(query, painter(query.item_id))
            if query.kind == "injected":
                trials.add(query.item_id)
            if len(trials) == TRIALS:
                break
        found = session.detection().iloc[0]
        known = {*session.labels().item_id, *session.predictions().item_id, *session.boxes(), *session._reserve_ids}
        known |= {pool.item_ids[n] for n in session._state().said}
        return float(found.threshold_db - threshold), bool(found.low <= threshold <= found.high), len(trials & known)


def rows(seeds: int) -> None:
    """Print what sessions make of it."""
    n = max(seeds, 10)
    runs = [session_threshold(seed) for seed in range(n)]
    errors = np.array([error for error, _, _ in runs])
    rms = float(np.sqrt((errors**2).mean()))
    rng = np.random.default_rng(0)
    low, high = np.percentile([np.sqrt((errors[rng.integers(0, n, n)] ** 2).mean()) for _ in range(2000)], [2.5, 97.5])
    row(f"in {n} sessions, RMSE after {TRIALS} trials", f"{rms:.2f} ({low:.2f} to {high:.2f})", "<= 1.2", rms <= 1.2)
    row("in sessions, 90 % interval covers", f"{np.mean([covers for _, covers, _ in runs]):.2f}")
    leaked = sum(leaks for _, _, leaks in runs)
    row("E4 trials among labels, training, audit, boxes", f"{leaked}", "0", leaked == 0)
