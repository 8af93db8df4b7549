"""What a session pays after a label: the new ranking behind the scenes, and what `submit` itself takes meanwhile.

A real `al.Session` on 100,000 items with features that are there already, its default learner and strategy, a store on the disk;
wall-clock seconds, and for rankings CPU seconds too. ``python tests/bench/query_session.py [items] [features]``
"""

import sys
import tempfile
import time

import numpy as np

N_CLASSES = 10
#: Labels at which the new ranking is timed, and how many answers are timed there.
AT, TIMES = (20, 100, 500, 1000), 10


def pictures(n):
    """Return n small different pictures: nothing looks at them."""
    numbers = np.arange(n, dtype=np.uint32).view(np.uint8).reshape(n, 4)
    return np.repeat(numbers[:, :, None], 4, axis=2)


def milliseconds(times):
    """Return median and 95 % quantile as text."""
    return f"{1e3 * np.median(times):.2f} ({1e3 * np.quantile(times, 0.95):.2f})"


def session_table(n=100_000, d=64):
    """Run a session and return a Markdown table."""
    from measuring import linear_case

    import al_widgets as al
    from al_widgets.features import Precomputed

    X, y, _ = linear_case(n, d)
    names = [f"class {c}" for c in range(N_CLASSES)]
    lines = [
        "| items | features | labels | new ranking, s: median (largest) | its CPU s: median | submit while idle, ms: median (p95) | submit while training, ms: median (p95) |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        session = al.Session(
            pictures(n),
            al.Classification(names),
            encoder=Precomputed(X),
            store=f"{folder}/answers.db",
            annotator="bench",
        )
        with session:
            begin = time.perf_counter()
            session.wait()
            first = time.perf_counter() - begin

            def answer(query):
                row = int(query.item_id.rpartition("/")[2])
                begin = time.perf_counter()
                session.submit(query, names[y[row]], elapsed_s=1.0)
                return time.perf_counter() - begin

            given = 0
            for goal in AT:
                # Answers one after another, faster than anyone's: every one comes while the last is learnt from.
                busy = [answer(query) for query in session.queries(limit=goal - given, wait=False)]
                given += len(busy)
                idle, ranking, cpu = [], [], []
                for query in session.queries(limit=TIMES):
                    idle.append(answer(query))
                    begin, spent = time.perf_counter(), time.process_time()
                    session.wait()
                    ranking.append(time.perf_counter() - begin)
                    cpu.append(time.process_time() - spent)
                given += len(idle)
                lines.append(
                    f"| {n:,} | {d} | {goal} | {np.median(ranking):.2f} ({max(ranking):.2f}) | {np.median(cpu):.2f} | {milliseconds(idle)} | {milliseconds(busy)} |"
                )
    return "\n".join([*lines, "", f"The first ranking of all, with the pool's graph: {first:.1f} s."])


if __name__ == "__main__":
    print(session_table(*map(int, sys.argv[1:])))
