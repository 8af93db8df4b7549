"""No answer is lost and none is doubled: reload with answers in flight, a kernel that dies, again and again."""

from __future__ import annotations

import os
import random
import signal

from harness.lab import wait_for


def test_answers_in_flight_arrive_once_when_the_page_is_reloaded(open_notebook, pictures):
    notebook = open_notebook(pictures.cell())
    view = notebook.query()
    view.wait_state("ready")
    notebook.save()
    view.focus()
    given = {}
    for _ in range(3):
        given[view.label("dark")] = "dark"
    view.wait_saved()
    pid = notebook.kernel.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(5):
            given[view.label("bright")] = "bright"
        assert view.unsaved == 5
        notebook.page.reload(wait_until="domcontentloaded")
    finally:
        os.kill(pid, signal.SIGCONT)
    notebook.ready()
    view = notebook.query()
    view.wait_state("ready")
    view.wait_saved()
    assert pictures.answers() == given
    view.focus()
    given[view.label("dark")] = "dark"  # and the page goes on from there
    view.wait_saved()
    assert pictures.answers() == given
    assert len(pictures.rows()) == len(given) == 9


def test_answers_survive_twenty_kills_of_the_kernel(open_notebook, make_pictures):
    pictures = make_pictures(300)
    schedule = random.Random(20)
    notebook = open_notebook(pictures.cell(policy="never"))  # what is asked again was lost
    view = notebook.query()
    view.wait_state("ready")
    given: dict[str, str] = {}

    def label(n: int) -> None:
        for _ in range(n):
            if view.state == "offline" and not view.item:
                return  # all that the dead kernel had sent is labelled
            name = pictures.truth[view.item]
            assert view.item not in given, f"{view.item} was asked again"
            given[view.label(name)] = name

    for _ in range(20):
        view.focus()
        before, after = schedule.randint(1, 5), schedule.randint(0, 3)
        label(before)
        pid = notebook.kernel.pid
        os.kill(pid, signal.SIGKILL)
        wait_for("a new kernel process", lambda old=pid: notebook.kernel.pid_or_none() not in (None, old))
        notebook.after_restart()
        view.focus()
        label(after)  # nobody listens: the page keeps what it is told
        notebook.run(0)
        view = notebook.query()
        view.wait_state("ready")
    view.wait_saved()
    assert pictures.answers() == given
    assert len(pictures.rows()) == len(given)


def test_session_resumes_when_the_cell_runs_again(open_notebook, pictures):
    notebook = open_notebook(pictures.cell())
    for _ in range(2):
        view = notebook.query()
        view.wait_state("ready")
        view.focus()
        for _ in range(4):
            view.label(pictures.truth[view.item])
        view.wait_saved()
        notebook.run(0)
    notebook.query().wait_state("ready")
    assert len(pictures.answers()) == 8
    assert notebook.kernel.run("print(len(session.labels()))").strip() == "8"
    assert notebook.query().item not in pictures.answers()
