"""How benchmarks measure: CPU seconds of one thread and extra resident memory; needs NumPy only. Linux.

Each measurement runs in a fork of its own: data and models are there already, a measurement that takes too long or too much is
ended without harm to the others, and memory that one gave back late is not counted for the next.
"""

import ctypes
import gc
import json
import os
import resource
import signal
import time

# Read when NumPy is loaded, here and in every process that a benchmark starts.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np

#: The clock of CPU seconds may tick every 4 ms only: what is quicker is repeated until it took this long.
COARSE = 0.05


def resident(field):
    """Return VmRSS or VmHWM in bytes."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(f"{field} is not in /proc/self/status")


def measured(run, seconds=10.0, repeats=5):
    """Return what up to `repeats` runs took within a budget of CPU seconds, and the peak of the first in bytes.

    ``first`` is the first run, with what it computes once and remembers; ``seconds`` the quickest of the others, or the first
    when it is the only one.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # freed memory that is still resident would hide what is taken
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak starts from here
    before = resident("VmRSS")
    start = time.process_time()
    run()
    first = time.process_time() - start
    peak = resident("VmHWM") - before
    turns, times = 1, []
    while len(times) < repeats and time.process_time() - start + turns * first < seconds:
        begin = time.process_time()
        for _ in range(turns):
            run()
        spent = time.process_time() - begin
        if spent < COARSE and turns < 10**6:
            turns *= 4  # too few to be measured
        else:
            times.append(spent / turns)
    return {"seconds": min(times, default=first), "first": first, "peak": max(0, peak)}


def forked(work, limit, memory=10 * 2**30):
    """Call ``work()`` in a fork and return its dict; ``{"failed": why}`` when it failed.

    Parameters
    ----------
    work : callable
    limit : float
        CPU seconds after which it is ended.
    memory : int
        Bytes it may take.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            # Beyond the data that is there already, which the fork shares.
            resource.setrlimit(resource.RLIMIT_DATA, (resident("VmRSS") + memory,) * 2)
            spent = int(time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (spent + int(limit) + 1, spent + int(limit) + 5))
            answer = work()
        except BaseException as error:  # whatever a library raises is its result
            answer = {"failed": f"{type(error).__name__}: {error}".strip().rstrip(":")[:100]}
        with os.fdopen(writing, "w") as pipe:
            pipe.write(json.dumps(answer))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}:
        return {"failed": f"> {limit:g} s"}
    return json.loads(answer) if answer else {"failed": f"died, status {status}"}


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
