"""Features of items that come one by one: an encoder whose reduction is fitted on the first of them.

Imported by growing sessions. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import EncoderError
from al_widgets.features.base import Encoder

FloatArray = npt.NDArray[np.float32]

FITS = (16, 64, 256, 1024)
"""Numbers of items at which the reduction is fitted (again); after the last it stays."""


class ArrivalFeatures:
    """Encoder, sample of what came, and the version of the reduction.

    Parameters
    ----------
    encoder : object
        As for `Session`.
    """

    def __init__(self, encoder: Any) -> None:
        self._spec = encoder
        self._encoder: Encoder | None = None
        self._sample: list[FloatArray] = []
        self._seen = 0
        self.version = 0

    @property
    def settled(self) -> bool:
        """Whether the reduction stays as it is: descriptions are needed no longer."""
        return self.version > 0 and self._seen >= FITS[-1]

    @property
    def opened(self) -> Encoder | None:
        """The encoder as it is, with or without a reduction; None before the first item."""
        return self._encoder

    @property
    def encoder(self) -> Encoder | None:
        """The encoder with its reduction; None before the first fit."""
        return self._encoder if self.version else None

    @property
    def fingerprint(self) -> str:
        """The encoder's; empty before the first item."""
        return "" if self._encoder is None else self._encoder.fingerprint

    def open(self, shape: tuple[int, ...] | None) -> None:
        """Open the encoder, once; `shape` is that of the items."""
        if self._encoder is None:
            from al_widgets.features import Precomputed, open_encoder

            encoder = open_encoder(self._spec, shape)
            if isinstance(encoder, Precomputed):
                raise EncoderError(
                    "a matrix of features cannot encode items that are not known beforehand; give a transformer"
                )
            self._encoder = encoder

    def describe(self, pixels: npt.NDArray[np.generic]) -> FloatArray:
        """Return the description of an item, shape (D,).

        Raises
        ------
        EncoderError
            If the encoder cannot take it.
        """
        self.open(pixels.shape)
        assert self._encoder is not None  # noqa: S101 - opened above
        described = np.asarray(self._encoder.describe([pixels]), np.float32)
        if described.ndim != 2 or len(described) != 1 or not np.isfinite(described).all():
            raise EncoderError(f"describe gave shape {described.shape} for one image, or a value that is not finite")
        row: FloatArray = described[0]
        return row

    def take(self, description: FloatArray) -> bool:
        """Add an item to the sample; return whether the reduction was fitted again, so that all features must be made anew."""
        if self.settled:
            return False
        self._sample.append(description)
        self._seen += 1
        if self._seen not in FITS:
            return False
        assert self._encoder is not None  # noqa: S101 - it made the description
        self._encoder.fit(np.stack(self._sample))
        self.version += 1
        if self._seen >= FITS[-1]:
            self._sample = []
        return True

    def fit(self, descriptions: Sequence[FloatArray]) -> None:
        """Fit the reduction once and for all."""
        assert self._encoder is not None  # noqa: S101 - it made the descriptions
        self._encoder.fit(np.stack(descriptions))
        self.version += 1
        self._seen = FITS[-1]

    def reduce(self, descriptions: Sequence[FloatArray]) -> FloatArray | None:
        """Return features, shape (n, d); None before the first fit."""
        if self._encoder is None or not self.version or not len(descriptions):
            return None
        return np.asarray(self._encoder.reduce(np.stack(descriptions)), np.float32)
