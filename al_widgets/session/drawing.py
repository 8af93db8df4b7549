"""What a session asks: who holds which item, and what is drawn next. `Session` inherits these.

Items are leased in the store, so that pages, scripts and other sessions do not ask the same twice by chance.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import numpy.typing as npt

from al_widgets.records import Query
from al_widgets.session import alike
from al_widgets.session.asking import Circumstances
from al_widgets.session.queue import Pick
from al_widgets.session.training import Training

LEASE_S = 180.0
"""Seconds an item stays with who holds it; renewed with every message of the page."""

ON_SCREEN = 2
"""Items of a holder that count as asked: the one on the screen and the next; the others may still be ranked away."""


class Drawing(Training):
    """The asking part of `Session`."""

    _released: set[str]

    def queries(self, limit: int | None = None, *, wait: bool = True) -> Iterator[Query]:
        """Yield queries until `limit` are asked or nothing is left.

        With `wait` every query comes from a model that has seen all answers so far (a batch, with ``batch_size``); without
        it the loop never waits for training, as a person at the widget does not.
        """
        asked = 0
        held: dict[str, int] = {}
        holder = f"{self._client}:{uuid.uuid4().hex[:6]}"
        try:
            while limit is None or asked < limit:
                if wait and asked % self.batch_size == 0:
                    self.wait()
                with self._lock:
                    held = {i: n for i, n in held.items() if self._ledger_of(i).n_given(i, self.annotator) == n}
                drawn = self.draw(holder, 1, have=list(held))
                if not drawn:
                    return
                asked += 1
                with self._lock:
                    item_id = drawn[0].item_id
                    held[item_id] = self._ledger_of(item_id).n_given(item_id, self.annotator)
                yield drawn[0]
        finally:
            if not self._closed:
                self.release(holder)

    def draw(self, holder: str, n: int, *, have: Sequence[str] = (), keep: int | None = None) -> list[Query]:
        """Draw up to `n` items for a holder and lease them.

        Parameters
        ----------
        holder : str
            Who asks: a page, a script.
        have : sequence of str
            Items the holder has already, in its order; they are not drawn again and their lease is renewed.
        keep : int, optional
            Keep only the first `keep` of `have` and give the others back first: for a new ranking.

        Raises
        ------
        SessionClosedError
        """
        self._check_open()
        with self._lock:
            self._sync()
            have = [i for i in have if i in self._row]
            kept = have if keep is None else have[:keep]
            if keep is not None and len(kept) < len(have):
                self._store.release(holder, have[keep:])
            leased = self._free_answered(holder, set(kept))
            mine = set(kept)
            done = self._ledger.answered_by(self.annotator)
            labels = self._ledger.labels

            def free(row: int) -> bool:
                item_id = self._ids[row]
                return (
                    item_id not in labels
                    and item_id not in done
                    and item_id not in mine
                    and item_id not in self._problems
                    and item_id not in self._asking.gold
                    and leased.get(item_id, holder) == holder
                )

            n = self._within_budget(n, leased.keys() | mine)
            served = self._ledger.n_counting + sum(1 for i in leased if not self._ledger.answers(i))
            picks = self._mix_in(self._queue.pick(max(0, n), served, free), max(0, n), served, mine, leased, holder)
            granted = set(self._store.lease([*kept, *(self._ids[p.row] for p in picks)], holder, LEASE_S))
            queries = [self._query(p) for p in picks if self._ids[p.row] in granted]
            self._visible[holder] = [*kept, *(q.item_id for q in queries)][:ON_SCREEN]
        self.start()
        return queries

    def _within_budget(self, n: int, held: AbstractSet[str]) -> int:
        """Return how many of `n` may be asked: what pages hold and have not answered will be spent, too."""
        use = self.budget
        if use is None:
            return n
        open_ = sum(1 for i in held if not self._ledger.answers(i))
        return int(min(n, max(0, use.room(self.pace()[0]) - open_)))

    def _free_answered(self, holder: str, kept: set[str]) -> dict[str, str]:
        """Give back what a holder has answered, so that others may be asked the same; return the leases."""
        leased = self._store.leased()
        if self._asking.never:
            return leased
        done = [
            i
            for i, who in leased.items()
            if who == holder and i not in kept and self.annotator in self._ledger.answers(i)
        ]
        if done:
            self._store.release(holder, done)
        return {i: who for i, who in leased.items() if i not in set(done)}

    def _mix_in(
        self, picks: list[Pick], n: int, served: int, mine: set[str], leased: dict[str, str], holder: str
    ) -> list[Pick]:
        """Put repeats and known items in the places of some new ones."""
        if self._asking.never:
            return picks
        now = Circumstances(
            self.annotator,
            self._ledger,
            self._rounds.agreed,
            self._rounds.snapshot,
            self._ids,
            self._row,
            self._reserve_ids,
            mine | self._problems.keys() | {i for i, who in leased.items() if who != holder},
            self._seconds,
        )
        chosen: list[Pick] = []
        for place in range(n):
            pick = picks[place] if place < len(picks) else None
            chosen_ids = {self._ids[p.row] for p in chosen}
            pick = self._asking.choose(pick, served + place, now, chosen_ids)
            if pick is None:
                break
            chosen.append(pick)
        return chosen

    def _seconds(self, item_ids: Sequence[str], kind: str) -> npt.NDArray[np.float64] | None:
        """Return the expected seconds of this annotator's answers; None while nothing is known."""
        timing = self._rounds.timing
        if timing is None:
            return None
        return timing.seconds(np.array([self._row.get(i, -1) for i in item_ids], np.intp), kind, self.annotator)

    def draw_alike(self, holder: str, n: int, *, name: str | None = None, have: Sequence[str] = ()) -> alike.Alike:
        """Draw up to `n` open items that the model takes for one class, most confident first, and lease them.

        What the holder had before and is not in `have` is given back. Audit items are left out: an answer that the model
        suggested cannot measure it.

        Parameters
        ----------
        holder : str
        n : int
        name : str, optional
            The class; default: the one that the model is surest of.
        have : sequence of str
            Items that the holder keeps, whatever is predicted by now.

        Raises
        ------
        SessionClosedError
        """
        self._check_open()
        with self._lock:
            self._sync()
            kept = [i for i in have if i in self._row]
            leased = self._store.leased()
            held = [i for i, who in leased.items() if who == holder and i not in kept]
            if held:
                self._store.release(holder, held)
            taken = {i for i, who in leased.items() if who != holder} | set(kept)
            taken |= self._reserve_ids | self._problems.keys() | set(self._ledger.answered())
            rows = [
                row for row, item_id in enumerate(self._ids) if item_id and item_id not in taken
            ]  # no context of a stream
            name, picks, counts = alike.pick_alike(self._rounds.snapshot, rows, n - len(kept), name)
            granted = set(self._store.lease([*kept, *(self._ids[p.row] for p in picks)], holder, LEASE_S))
            queries = tuple(self._query(p) for p in picks if self._ids[p.row] in granted)
            self._visible[holder] = [*kept, *(q.item_id for q in queries)]
        self.start()
        return alike.Alike(name, queries, tuple((c, counts[c]) for c in self._task.classes if counts.get(c)))

    @property
    def released(self) -> frozenset[str]:
        """Holders that are gone, by their own word or a successor's."""
        return frozenset(self._released)

    def release(self, holder: str) -> None:
        """Give back everything a holder holds, because it is gone; see `welcome`."""
        with self._lock:
            self._released.add(holder)
            self._visible.pop(holder, None)
            if not self._closed:
                self._store.release(holder)

    def welcome(self, holder: str) -> None:
        """Take note that a holder is there (again)."""
        with self._lock:
            self._released.discard(holder)
