"""Benchmark of a large tomogram through a session: seconds and memory of each step, from opening to the list of what was found.

A simulated CT of 300 x 512 x 512 with 40 spheres. Two strokes on one section, then a region; figures are of one run. Run::

    python tests/bench/bench_tomogram.py
"""

import argparse
import threading
import time
from contextlib import contextmanager

import numpy as np
import psutil

import al_widgets as al
from al_widgets.session.mask_ledger import part_of

POLL_S = 0.02


@contextmanager
def step(name):
    """Print how long a step takes, what it takes of memory at most while it runs, and what the process holds afterwards."""
    process, done = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch():
        nonlocal peak
        while not done.wait(POLL_S):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, cpu = time.perf_counter(), time.process_time()
    yield
    took, worked = time.perf_counter() - began, time.process_time() - cpu
    done.set()
    watcher.join()
    after = process.memory_info().rss
    print(
        f"| {name} | {took:.2f} | {worked:.2f} | {(max(peak, after) - before) / 2**20:.0f} | {after / 2**20:.0f} |",
        flush=True,
    )


def tomogram(sections, rng):
    """Return a body in air with denser spheres, in Hounsfield units, and where the spheres are."""
    array, truth = np.empty((sections, 512, 512), np.int16), np.zeros((sections, 512, 512), bool)
    y, x = np.mgrid[:512, :512]
    body = ((y - 256) / 180) ** 2 + ((x - 256) / 220) ** 2 < 1
    spheres = [(*rng.integers((0, 140, 140), (sections, 370, 370)), rng.integers(5, 12)) for _ in range(40)]
    for z in range(sections):
        for middle, row, column, radius in spheres:
            truth[z] |= (z - middle) ** 2 + (y - row) ** 2 + (x - column) ** 2 < radius**2
        array[z] = np.where(body, 40, -1000) + 150 * truth[z] + rng.normal(0, 20, body.shape)
    return array, truth


def wait_for_section(session, index):
    """Wait until there is an opinion of a section."""
    there = threading.Event()

    def look(_topic):
        if session.section_map(index) is not None:
            there.set()

    unsubscribe = session.subscribe(look)
    look("")
    assert there.wait(300)
    unsubscribe()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", type=int, default=300)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    array, truth = tomogram(options.sections, rng)
    volume = al.Volume(array, [("slice", "mm", 1.0), ("row", "mm", 0.7), ("column", "mm", 0.7)], name="ct")
    print(f"\n{volume.shape} of {array.dtype}, {array.nbytes / 2**20:.0f} MB\n")
    print("| step | s | s of CPU | MB more at most | MB of the process afterwards |\n|---|---|---|---|---|")
    with step("open"):
        session = al.Session(volume, al.Segmentation(["tissue", "lesion"]), store=":memory:", annotator="bench")
    with step("even out, map what is anomalous"):
        session.wait()
    with step("region, before there is a model"):
        session.regions(1)
    index = max(
        (i for i, item in enumerate(session.pool.item_ids) if not session.is_kept_aside(item)),
        key=lambda i: truth[i].sum(),
    )
    item_id = session.pool.item_ids[index]
    session.look("bench", index)
    with step("two strokes → prediction of the section"):
        for where, name in (
            (truth[index], "lesion"),
            (~truth[index] & (rng.random(truth[index].shape) < 0.01), "tissue"),
        ):
            stroke = {"tool": "brush", "parts": [part_of(item_id, where, name)], "shape": None, "recipe": ""}
            session.submit(item_id, stroke, elapsed_s=3.0)
        wait_for_section(session, index)
    with step("prediction of all sections"):
        session.wait()
    with step("region, by the model"):
        region = session.regions(1)[0]
    with step("answer about it"):
        session.submit(region, "lesion", elapsed_s=2.0)
    with step("next region"):
        session.regions(1)
    session.wait()
    with step("alarms of the model"):
        alarms = session.alarms("model")
    expected = np.stack([session.section_map(i).classes for i in range(len(volume))]) > 0
    dice = 2 * (expected & truth).sum() / (expected.sum() + truth.sum())
    print(
        f"\nDice of all sections {dice:.2f}; of the region {truth[region.voxels].mean():.0%} is sphere; {len(alarms)} alarms"
    )
    session.close()


if __name__ == "__main__":
    main()
