"""A folder of image files as a pool.

Imported by `al_widgets.pool`. The folder is listed once, when the pool is made; no file is opened or asked for its size.
"""

# Strings and os.path, for a folder may hold 100,000 files and each Path costs more than its listing.
# ruff: noqa: PTH110, PTH111, PTH112, PTH116, PTH118

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from al_widgets.errors import PoolError
from al_widgets.pool.files import FilePool, display_id
from al_widgets.pool.natural import natural_key
from al_widgets.readers.images import EXTENSIONS


class FolderPool(FilePool):
    """All image files below a folder, in natural order; hidden files and folders are left out.

    Ids are POSIX paths relative to the folder: they survive moving the folder, and adding files to it. Links to folders
    are followed, but each real folder is listed once, so that loops end.

    Parameters
    ----------
    folder : str or path-like
    extensions : sequence of str
        Endings of the files to take, with the dot, any case.

    Raises
    ------
    PoolError
        If there is no such folder, it may not be listed, or holds no image file.
    """

    def __init__(self, folder: str | os.PathLike[str], extensions: Sequence[str] = EXTENSIONS) -> None:
        root = os.path.expanduser(os.fspath(folder))
        if not os.path.isdir(root):
            what = (
                "is a file, not a folder; a single picture goes in a list" if os.path.exists(root) else "does not exist"
            )
            raise PoolError(f"folder {root!r} {what}")
        endings = tuple(extension.lower() for extension in extensions)
        try:
            relative = list_files(root, endings)
        except OSError as error:
            raise PoolError(f"folder {root!r} cannot be listed: {error.strerror or error}") from error
        if not relative:
            raise PoolError(
                f"folder {root!r} holds no image: looked for files ending in {', '.join(endings)}, in all subfolders"
            )
        paths = {display_id(path): os.path.join(root, path) for path in relative}
        super().__init__(Path(root).resolve().name or root, "folder", paths)


def list_files(root: str, endings: tuple[str, ...]) -> list[str]:
    """Return paths relative to `root` of all files with one of the endings, in natural order, folder by folder.

    A subfolder that may not be listed is an error too: leaving it out would silently shrink the pool.
    """
    found: list[tuple[str, list[str]]] = []
    links: list[str] = []
    seen: set[tuple[int, int]] = set()
    folders = [""]
    while folders or links:
        # Real folders come first: a file's id is its own path wherever it has one, not that of a link to it.
        folder = folders.pop() if folders else links.pop(0)
        real = os.stat(os.path.join(root, folder))
        if (real.st_dev, real.st_ino) in seen:
            continue
        seen.add((real.st_dev, real.st_ino))
        names, inside = [], []
        with os.scandir(os.path.join(root, folder)) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if name.lower().endswith(endings) and not entry.is_dir():
                    names.append(name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(os.path.join(folder, name))
                elif entry.is_symlink() and entry.is_dir():
                    inside.append(os.path.join(folder, name))
        links.extend(sorted(inside, key=natural_key))
        if names:
            names.sort(key=natural_key)
            found.append((folder, names))
    found.sort(key=lambda pair: natural_key(pair[0]))
    return [os.path.join(folder, name) for folder, names in found for name in names]
