"""The table of features of a pool: filled on a background thread, read by all others at any time.

Imported by sessions. One thread calls `FeatureTable.run`; any thread may call the rest. What others see is a `FeatureSnapshot`
that is replaced, never changed in the rows that it calls ready.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from al_widgets.errors import EncoderError, ReadError, UnknownItemError
from al_widgets.features.base import Encoder
from al_widgets.features.blas_threads import one_blas_thread
from al_widgets.features.cache import DescriptionCache
from al_widgets.features.precomputed import Precomputed
from al_widgets.records import Problem

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.generic]
T = TypeVar("T")

FIRST_FITS = (64, 256, 1024, 4096)
"""Numbers of encoded items at which the reduction is fitted (again) on what there is; once more when all are encoded."""

FIT_SAMPLE = 5_000
"""Items that the reduction is fitted on at most: always the same ones of a pool, whatever the order of encoding."""

_READ_AT_ONCE = 512


class Source(Protocol):
    """What encoding needs of a pool."""

    @property
    def item_ids(self) -> Sequence[str]:
        """Ids in the order of the table's rows."""

    def image(self, item_id: str) -> npt.NDArray[np.generic]:
        """Return the item's pixels, or raise `ReadError`."""

    def content_key(self, item_id: str) -> str:
        """Return a digest of the item's content, or raise `ReadError`."""


@runtime_checkable
class FileSource(Protocol):
    """What pools of files offer on top, so that no file is read twice, or at all when nothing changed."""

    def signature(self, item_id: str) -> str | None:
        """Return what changes with every write to the file, without reading it; None if unknown."""

    def image_and_key(self, item_id: str, near_side: int | None = None) -> tuple[npt.NDArray[np.generic], str]:
        """Return pixels and content key from one reading; raise `ReadError`."""


@dataclass(frozen=True)
class FeatureSnapshot:
    """Features as they are at one moment.

    Attributes
    ----------
    version : int
        Grows when the reduction is fitted again: columns then mean something else, and d may differ. 0: nothing yet.
    matrix : ndarray (N, d), float32
        Rows in the pool's order; rows that are not ready are 0. Do not write to it.
    ready : ndarray (N,) of bool
        Rows that have features.
    complete : bool
        Whether every item has features or a problem, and the reduction is the last one.
    """

    version: int
    matrix: FloatArray
    ready: BoolArray
    complete: bool

    @property
    def rows(self) -> IntArray:
        """Positions of the rows that are ready, increasing."""
        return np.flatnonzero(self.ready)


class FeatureTable:
    """Features of every item of a pool.

    Parameters
    ----------
    source : Source
        A pool.
    encoder : Encoder
        Its reduction is fitted here; nobody else should fit it.
    cache : DescriptionCache, optional
        Default: memory only.
    chunk : int
        Images decoded and encoded together: the time between two looks at `stop`.
    """

    def __init__(
        self, source: Source, encoder: Encoder, cache: DescriptionCache | None = None, chunk: int = 32
    ) -> None:
        self._source = source
        self._encoder = encoder
        self._cache = cache if cache is not None else DescriptionCache.in_memory()
        self._chunk = chunk
        self._ids = tuple(source.item_ids)
        self._row = {item: row for row, item in enumerate(self._ids)}
        self._keys: dict[int, str] = {}
        self._problems: dict[str, Problem] = {}
        self._fitted_at = 0
        self._running = threading.Lock()
        nothing = np.zeros((len(self._ids), 0), np.float32)
        self._snapshot = FeatureSnapshot(0, nothing, np.zeros(len(self._ids), np.bool_), complete=False)

    @property
    def encoder(self) -> Encoder:
        """What makes the features; fitted when the table is complete."""
        return self._encoder

    def snapshot(self) -> FeatureSnapshot:
        """Return the newest state; matrix and rows of one snapshot belong together."""
        return self._snapshot

    def rows(self) -> IntArray:
        """Return the positions of items that have features; see `snapshot` for rows and matrix of the same moment."""
        return self._snapshot.rows

    def matrix(self) -> FloatArray:
        """Return the features, shape (N, d), rows in the order of ``source.item_ids``."""
        return self._snapshot.matrix

    def problems(self) -> list[Problem]:
        """Return the items set aside so far, and why."""
        return list(self._problems.values())

    def run(
        self,
        order: Sequence[str] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        on_problem: Callable[[Problem], None] | None = None,
        on_update: Callable[[FeatureSnapshot], None] | None = None,
        stop: threading.Event | None = None,
    ) -> bool:
        """Encode what is not yet encoded; call it on a thread of its own. May be called again to go on or to retry.

        Parameters
        ----------
        order : sequence of str, optional
            Ids to encode first; the others follow in the pool's order.
        on_progress : callable (done, total), optional
            After every chunk; items with a problem count as done.
        on_problem : callable (Problem), optional
            For every item that cannot be read or encoded.
        on_update : callable (FeatureSnapshot), optional
            After every fit of the reduction, so that a model can start on a few hundred items.
        stop : threading.Event, optional
            Looked at before every chunk.

        Returns
        -------
        bool
            True if the table is complete, False if it was stopped.

        Raises
        ------
        EncoderError
            If the encoder fails for every image of a chunk, or gives something that is no finite matrix.
        """
        with self._running, one_blas_thread():
            stop = stop if stop is not None else threading.Event()
            if isinstance(self._encoder, Precomputed):
                self._install(self._checked_precomputed(self._encoder), on_update)
                _call(on_progress, len(self._ids), len(self._ids))
                return True
            self._problems.clear()
            todo = self._in_order(order)
            if not self._recognise(todo, stop):
                return False
            todo = [item for item in todo if self._row[item] not in self._keys]
            _call(on_progress, len(self._keys), len(self._ids))
            for items in _chunks(todo, self._chunk):
                if stop.is_set():
                    return False
                for problem in self._encode(items):
                    self._problems[problem.item_id] = problem
                    _call(on_problem, problem)
                _call(on_progress, len(self._keys) + len(self._problems), len(self._ids))
                if self._fit_is_due() and not self._fit(stop, on_update, last=False):
                    return False
            return self._snapshot.complete or self._fit(stop, on_update, last=True)

    def _in_order(self, order: Sequence[str] | None) -> list[str]:
        wanted = dict.fromkeys(order if order is not None else ())
        for item in wanted:
            if item not in self._row:
                raise UnknownItemError(item)
        return [*wanted, *(item for item in self._ids if item not in wanted)]

    def _recognise(self, items: list[str], stop: threading.Event) -> bool:
        """Find what the cache already holds of files that have not changed; False if stopped."""
        if not isinstance(self._source, FileSource):
            return True
        for some in _chunks(items, 2048):
            if stop.is_set():
                return False
            signatures = {item: signature for item in some if (signature := self._source.signature(item)) is not None}
            digests = self._cache.digests(list(signatures.values()))
            keys = {item: digests[signature] for item, signature in signatures.items() if signature in digests}
            known = self._cache.has(self._encoder.fingerprint, list(keys.values()))
            self._keys.update({self._row[item]: key for item, key in keys.items() if key in known})
        return True

    def _encode(self, items: Sequence[str]) -> Iterator[Problem]:
        """Describe some items, put them into the cache and, where there is a reduction, into the table."""
        images: dict[str, Pixels] = {}
        keys: dict[str, str] = {}
        signatures: dict[str, str] = {}
        described: dict[str, FloatArray] = {}
        for item in items:
            try:
                image, key, signature = self._read(item)
                if known := self._cache.get(self._encoder.fingerprint, [key]):
                    described[item] = known[key]
                else:
                    images[item] = self._source.image(item) if image is None else image
            except (ReadError, MemoryError) as error:
                yield Problem(
                    item, error.reason if isinstance(error, ReadError) else "there is not enough memory to decode it"
                )
                continue
            keys[item] = key
            if signature is not None:
                signatures[signature] = key
        fresh, failures = self._describe(images)
        yield from failures
        self._cache.put(self._encoder.fingerprint, {keys[item]: vector for item, vector in fresh.items()})
        self._cache.put_digests(signatures)
        described.update(fresh)
        self._keys.update({self._row[item]: keys[item] for item in described})
        snapshot = self._snapshot
        if snapshot.version and described:
            rows = np.array([self._row[item] for item in described])
            snapshot.matrix[rows] = self._reduced(np.stack(list(described.values())), snapshot.matrix.shape[1])
            ready = snapshot.ready.copy()
            ready[rows] = True
            self._snapshot = replace(snapshot, ready=ready, complete=False)

    def _read(self, item: str) -> tuple[Pixels | None, str, str | None]:
        """Return pixels (None if they were not needed for the key), content key and signature."""
        if isinstance(self._source, FileSource):
            signature = self._source.signature(item)
            image, key = self._source.image_and_key(item, getattr(self._encoder, "near_side", None))
            return image, key, signature
        return None, self._source.content_key(item), None

    def _describe(self, images: Mapping[str, Pixels]) -> tuple[dict[str, FloatArray], list[Problem]]:
        """Describe all at once; if that fails one by one, to find the ones that the encoder cannot take."""
        if not images:
            return {}, []
        try:
            return dict(zip(images, self._checked(list(images.values())), strict=True)), []
        except Exception as error:  # encoders are the user's code
            described: dict[str, FloatArray] = {}
            failures = []
            for item, image in images.items():
                try:
                    described[item] = self._checked([image])[0]
                except Exception as reason:  # as above
                    failures.append(Problem(item, f"it cannot be encoded: {type(reason).__name__}: {reason}"))
            if not described and len(failures) > 1:
                raise EncoderError(
                    f"the encoder {self._encoder.fingerprint!r} fails for every image: {type(error).__name__}: {error}"
                ) from error
            return described, failures

    def _checked(self, images: Sequence[Pixels]) -> FloatArray:
        described = np.asarray(self._encoder.describe(images), np.float32)
        if described.ndim != 2 or len(described) != len(images) or not described.shape[1]:
            raise EncoderError(
                f"describe gave shape {described.shape} for {len(images)} images, not ({len(images)}, D)"
            )
        if not np.isfinite(described).all():
            raise EncoderError("describe gave NaN or infinity")
        return described

    def _fit_is_due(self) -> bool:
        return any(self._fitted_at < count <= len(self._keys) for count in FIRST_FITS)

    def _fit(self, stop: threading.Event, on_update: Callable[[FeatureSnapshot], None] | None, *, last: bool) -> bool:
        """Fit the reduction on a sample of what is described and reduce all of it again; False if stopped."""
        rows = sorted(
            self._keys, key=lambda row: (zlib.crc32(self._ids[row].encode("utf-8", "replace")), self._ids[row])
        )
        if not rows:
            self._install(np.zeros((len(self._ids), 0), np.float32), on_update)
            return True
        sample = np.concatenate([part for _, part in self._descriptions(rows[:FIT_SAMPLE])])
        try:
            self._encoder.fit(sample)
        except EncoderError:
            raise
        except Exception as error:  # encoders are the user's code
            raise EncoderError(f"fitting the encoder failed: {type(error).__name__}: {error}") from error
        width = self._reduced(sample[:1], None).shape[1]
        del sample
        matrix = np.zeros((len(self._ids), width), np.float32)
        ready = np.zeros(len(self._ids), np.bool_)
        for some, part in self._descriptions(sorted(rows)):
            if stop.is_set():
                return False
            matrix[some] = self._reduced(part, width)
            ready[some] = True
        self._fitted_at = len(rows)
        self._install(matrix, on_update, ready, complete=last)
        return True

    def _descriptions(self, rows: Sequence[int]) -> Iterator[tuple[Sequence[int], FloatArray]]:
        """Give descriptions from the cache, a few hundred rows at a time; what it has dropped is made again."""
        for some in _chunks(rows, _READ_AT_ONCE):
            found = self._cache.get(self._encoder.fingerprint, [self._keys[row] for row in some])
            for lost in _chunks([row for row in some if self._keys[row] not in found], self._chunk):
                found.update(self._again(lost))
            there = [row for row in some if self._keys[row] in found]
            if there:
                yield there, np.stack([found[self._keys[row]] for row in there])

    def _again(self, rows: Sequence[int]) -> dict[str, FloatArray]:
        images = {}
        failures = []
        for item in (self._ids[row] for row in rows):
            try:
                images[item] = self._read_image(item)
            except ReadError as error:
                failures.append(Problem(item, error.reason))
        described, more = self._describe(images)
        again = {self._keys[self._row[item]]: vector for item, vector in described.items()}
        for problem in (*failures, *more):
            self._problems[problem.item_id] = problem
            self._keys.pop(self._row[problem.item_id], None)
        return again

    def _read_image(self, item: str) -> Pixels:
        if isinstance(self._source, FileSource):
            return self._source.image_and_key(item, getattr(self._encoder, "near_side", None))[0]
        return self._source.image(item)

    def _reduced(self, descriptions: FloatArray, width: int | None) -> FloatArray:
        reduced = np.asarray(self._encoder.reduce(descriptions), np.float32)
        if reduced.ndim != 2 or len(reduced) != len(descriptions) or (width is not None and reduced.shape[1] != width):
            raise EncoderError(f"reduce gave shape {reduced.shape} for {len(descriptions)} rows, d = {width}")
        if not np.isfinite(reduced).all():
            raise EncoderError("reduce gave NaN or infinity")
        return reduced

    def _checked_precomputed(self, encoder: Precomputed) -> FloatArray:
        if len(encoder.features) != len(self._ids):
            raise EncoderError(f"{len(encoder.features):,} rows of precomputed features for {len(self._ids):,} items")
        return encoder.features

    def _install(
        self,
        matrix: FloatArray,
        on_update: Callable[[FeatureSnapshot], None] | None,
        ready: BoolArray | None = None,
        *,
        complete: bool = True,
    ) -> None:
        if ready is None:
            ready = np.full(len(self._ids), bool(matrix.shape[1]))
        self._snapshot = FeatureSnapshot(self._snapshot.version + 1, matrix, ready, complete)
        _call(on_update, self._snapshot)


def _call(callback: Callable[..., None] | None, *values: object) -> None:
    if callback is not None:
        callback(*values)


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
