"""More data out of the data: pictures that are moved a little still show the same thing.

X_moved = augment(X, rng, shift=1)                  # in every epoch anew; the labels stay
"""

from __future__ import annotations

import numpy as np

__all__ = ["augment"]


def augment(images, rng, shift=1):
    """Every image moved by its own random number of places, from −shift to shift, down and to the right.

    images (N, H, W). What comes in at an edge is 0, what goes out at the other is lost. Of the (2 shift + 1)² ways an
    image has each with the same probability.

    >>> print(augment(np.array([[[1, 2, 3]]]), np.random.default_rng(9)))
    [[[2 3 0]]]
    """
    _, H, W = images.shape
    wide = np.pad(images, ((0, 0), (shift, shift), (shift, shift)))
    moved = np.empty_like(images)
    for i in range(len(images)):
        top, left = rng.integers(0, 2 * shift + 1, size=2)  # where the cut begins: shift leaves it in its place
        moved[i] = wide[i, top : top + H, left : left + W]
    return moved
