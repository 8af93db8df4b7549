"""Tensors from a checkpoint that PyTorch saved before version 1.6, without PyTorch and without running what it contains.

Imported by `al_widgets.features.lite0` only. A checkpoint is a pickle, and a pickle can name any function to be called:
here every name is refused but the few that rebuild tensors, and those are our own.
"""

from __future__ import annotations

import collections
import io
import pickle
import struct
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import ReadError

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}


class _Storage:
    """A flat array that tensors are views of; its values follow the pickle."""

    def __init__(self, dtype: np.dtype[Any], size: int) -> None:
        self.dtype = dtype
        self.size = size
        self.values: npt.NDArray[Any] = np.empty(0, dtype)


class _Tensor:
    """What a tensor is made of: part of a storage, with shape and steps counted in values."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], steps: tuple[int, ...], *_: Any) -> None:
        self.parts = storage, offset, shape, steps

    def array(self) -> npt.NDArray[Any]:
        storage, offset, shape, steps = self.parts
        last = offset + sum((length - 1) * step for length, step in zip(shape, steps, strict=True))
        if offset < 0 or min(steps, default=0) < 0 or (0 not in shape and last >= len(storage.values)):
            raise ValueError("a tensor lies outside its storage")
        view = np.lib.stride_tricks.as_strided(
            storage.values[offset:], shape, [step * storage.values.itemsize for step in steps], writeable=False
        )
        return view.copy()


class _Unpickler(pickle.Unpickler):
    """Unpickles plain values, ordered dicts and tensors; refuses every other name."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="latin1")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _STORAGES:
            return name
        raise pickle.UnpicklingError(f"it wants {module}.{name}, which is refused")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, _, size = pid[:5]
        return self.storages.setdefault(key, _Storage(_STORAGES[kind], int(size)))


def read_checkpoint(data: bytes, name: str) -> dict[str, npt.NDArray[Any]]:
    """Return the tensors of a state dict by name.

    Raises
    ------
    ReadError
        If the bytes are no such checkpoint, are broken, or want anything but tensors.
    """
    try:
        return _read(io.BytesIO(data))
    except Exception as error:  # unpickling broken bytes raises anything
        raise ReadError(
            name, f"it is no PyTorch checkpoint of the kind before 1.6, or a broken one: {error}"
        ) from error


def _read(file: IO[bytes]) -> dict[str, npt.NDArray[Any]]:
    if _Unpickler(file).load() != _MAGIC:
        raise ValueError("it does not begin with the magic number")
    _Unpickler(file).load()  # version of the protocol
    _Unpickler(file).load()  # sizes of C types where it was written; values are little-endian
    unpickler = _Unpickler(file)
    tensors = unpickler.load()
    for key in _Unpickler(file).load():
        storage = unpickler.storages[key]
        (size,) = struct.unpack("<q", file.read(8))
        if size != storage.size:
            raise ValueError(f"storage {key!r} has {size} values instead of {storage.size}")
        storage.values = np.frombuffer(file.read(size * storage.dtype.itemsize), storage.dtype, size)
    return {str(key): tensor.array() for key, tensor in tensors.items()}
