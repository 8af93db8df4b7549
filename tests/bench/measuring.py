"""How benchmarks measure: CPU seconds of one thread and extra resident memory; needs NumPy only."""

import ctypes
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np


def resident(field):
    """Return VmRSS or VmHWM in bytes; Linux."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(f"{field} is not in /proc/self/status")


def measured(run, seconds=10.0, repeats=5):
    """Return the least CPU seconds of up to `repeats` runs within a budget, and the peak of the first in bytes.

    The first run counts for memory, and for time only when it is the only one.
    """
    ctypes.CDLL(None).malloc_trim(0)  # freed memory that is still resident would hide what is taken
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak starts from here
    before = resident("VmRSS")
    times = []
    start = time.process_time()
    run()
    first = time.process_time() - start
    peak = resident("VmHWM") - before
    while len(times) < repeats and time.process_time() - start + first < seconds:
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return {"seconds": min(times, default=first), "peak": max(0, peak)}


def linear_case(n, d, n_classes=10, n_labelled=200, seed=0):
    """Return features (n, d) float32 in overlapping clusters, class numbers, and rows that are labelled."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((n_classes * 5, d)).astype(np.float32)
    of = rng.integers(len(centres), size=n)
    X = rng.standard_normal((n, d), np.float32)
    for start in range(0, n, 65536):
        X[start : start + 65536] += centres[of[start : start + 65536]]
    y = of % n_classes
    return X, y, np.sort(rng.choice(n, min(n_labelled, n // 2), replace=False))
