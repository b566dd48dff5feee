"""Images as the recorded experiments feed them to a network: flat, float32, and in one of three scales.

pictures = load("fashion-mnist")            # or MNIST in its place, and pictures.name says so
data = pictures.fed("scaled")               # train, valid and test: pairs X (N, 784), T (N, 10)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

import gradschool as gs
import gradschool_data
from gradschool_data import Split, standardized

__all__ = ["FEEDS", "Pictures", "load"]

FEEDS = {
    "raw": "pixels 0 to 255",
    "unit": "pixels / 255",
    "scaled": "each pixel minus its mean over its deviation, of the training images",
}
LOADERS = {
    "mnist": gradschool_data.mnist,
    "fashion-mnist": gradschool_data.fashion_mnist,
    "cifar-10": gradschool_data.cifar10,
}


@dataclass(frozen=True)
class Pictures:
    """`name` is what they are, `wanted` what the experiment was recorded with; `split` has uint8 images and labels."""

    name: str
    wanted: str
    split: Split

    def fed(self, feed: str) -> Split:
        """Pairs X (N, pixels) float32, T (N, classes) one-hot float32."""
        classes = int(self.split.train[1].max()) + 1
        flat = Split(*((X.reshape(len(X), -1).astype(np.float32), one_hot(y, classes)) for X, y in self.split))
        if feed == "scaled":
            return standardized(flat)
        size = np.float32(255 if feed == "unit" else 1)
        return Split(*((X / size, T) for X, T in flat))

    def first(self, images: int | None) -> Pictures:
        """Only the first images of each part, for a look in advance."""
        return replace(self, split=Split(*((X[:images], y[:images]) for X, y in self.split)))


def one_hot(y: np.ndarray, classes: int) -> np.ndarray:
    return gs.one_hot(y, classes).astype(np.float32)


def load(wanted: str) -> Pictures:
    """The images of a data set; MNIST, which has the same format, where Fashion-MNIST is not to be had.

    Raises DataError, or the error of the download, if there is neither.
    """
    try:
        return Pictures(wanted, wanted, LOADERS[wanted]())
    except (gradschool_data.DataError, OSError):
        if wanted != "fashion-mnist":
            raise
    return Pictures("mnist", wanted, LOADERS["mnist"]())
