"""Make the quickstart's pictures: crops of three photographs, so that nothing needs to be downloaded.

Brick, grass and gravel come with scikit-image (CC0, from ambientCG). Each crop is taken at a random place, scale and
rotation, then lit, blurred and made noisy at random, so that telling them apart takes some learning. The truth is kept
beside the folder, in a table of its own: for checks, not for the session.
"""

# ruff: noqa: INP001
from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

CLASSES = ("brick", "grass", "gravel")
SIDE = 96
"""Pixels of a crop."""


def make_crops(folder: str | Path = "demo-data/crops", n_items: int = 900, seed: int = 0) -> Path:
    """Write the crops as PNG files and their truth as ``<folder>.csv``; do nothing when they are there.

    Parameters
    ----------
    folder : str or Path
        Where the pictures go.
    n_items : int
        How many, a third of each class.
    seed : int
        The same seed gives the same pictures.

    Returns
    -------
    Path
        The folder.
    """
    from PIL import Image
    from skimage import data

    folder = Path(folder)
    truth = folder.with_suffix(".csv")
    if truth.is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    photographs = {name: np.asarray(getattr(data, name)(), dtype=float) for name in CLASSES}
    names = rng.permutation(np.resize(CLASSES, n_items))
    rows = []
    for number, name in enumerate(names):
        file = f"crop_{number:04d}.png"
        Image.fromarray(_crop(photographs[str(name)], rng)).save(folder / file)
        rows.append((file, str(name)))
    with truth.open("w", newline="") as stream:  # last: a folder with its table is complete
        csv.writer(stream).writerows([("item_id", "truth"), *rows])
    return folder


def _crop(photograph: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one crop, shape (SIDE, SIDE), uint8."""
    from skimage.filters import gaussian
    from skimage.transform import AffineTransform, warp

    scale, angle = rng.uniform(0.35, 1.6), rng.uniform(-np.pi, np.pi)
    reach = SIDE * scale * 0.75  # half the diagonal, and a little more: the crop stays inside the photograph
    x, y = rng.uniform(reach, photograph.shape[1] - reach), rng.uniform(reach, photograph.shape[0] - reach)
    middle = AffineTransform(translation=(-SIDE / 2, -SIDE / 2))
    place = middle + AffineTransform(scale=scale, rotation=angle, translation=(x, y))
    crop = warp(photograph, place, output_shape=(SIDE, SIDE), order=1)
    crop = gaussian(crop, rng.uniform(0.0, 1.2))
    slope = rng.normal(0.0, 25.0, 2) @ np.mgrid[-0.5 : 0.5 : SIDE * 1j, -0.5 : 0.5 : SIDE * 1j].reshape(2, -1)
    lit = (crop - crop.mean()) * rng.uniform(0.35, 1.0) + rng.uniform(80, 175) + slope.reshape(SIDE, SIDE)
    return np.clip(lit + rng.normal(0.0, rng.uniform(2, 14), crop.shape), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    print(make_crops())  # noqa: T201
