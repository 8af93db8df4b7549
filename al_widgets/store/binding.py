"""Does a store belong to this pool and this task? Pure functions; the answer is a sentence, or None."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from al_widgets.records import PoolIdentity

ADVICE = "Open it with its own pool and task, or give another file as store="


def _named(pool: PoolIdentity) -> str:
    example = f", for example {pool.samples[0][0]!r}" if pool.samples else ""
    return f"{pool.name!r} ({pool.kind}, {pool.size} items{example})"


def pool_mismatch(
    remembered: PoolIdentity,
    given: PoolIdentity,
    known_ids: Collection[str],
    answered_ids: Collection[str],
) -> str | None:
    """Say why `given` is another pool than the remembered one, or None if it is the same, grown or shrunk.

    Two pools are different when no remembered sample and no answered item is known in the given one, or when
    most samples that exist in both have another content: another folder with equal file names.

    Parameters
    ----------
    remembered, given : PoolIdentity
    known_ids : collection of str
        All item ids of the given pool; a set or frozenset, for speed.
    answered_ids : collection of str
        Items with an event in the store.
    """
    sample_ids = [item_id for item_id, _ in remembered.samples]
    expected = [*sample_ids, *answered_ids]
    if expected and not any(item_id in known_ids for item_id in expected):
        return f"holds answers about the pool {_named(remembered)}, and none of its items is in {_named(given)}"
    now = dict(given.samples)
    both = [(digest, now[item_id]) for item_id, digest in remembered.samples if item_id in now]
    changed = sum(before != after for before, after in both)
    if both and changed > len(both) / 2:
        return (
            f"holds answers about the pool {_named(remembered)}; {_named(given)} has items of equal names, "
            f"but {changed} of {len(both)} compared have another content"
        )
    return None


def task_mismatch(
    kind: str,
    classes: Sequence[str],
    given_kind: str,
    given_classes: Sequence[str],
    *,
    has_labels: bool,
) -> str | None:
    """Say why the given task is another one than the remembered, or None.

    The kind must be the same; once there are labels, at least one class must be.
    """
    if kind != given_kind:
        return f"holds answers to a {kind} task, not to a {given_kind} task"
    if has_labels and given_classes and classes and not set(classes) & set(given_classes):
        return (
            f"holds labels of the classes {', '.join(map(repr, classes[:8]))}; "
            f"the task has none of them, but {', '.join(map(repr, given_classes[:8]))}"
        )
    return None
