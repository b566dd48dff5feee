"""Memory used twice: large arrays that nobody needs again take the next result, which is then still in the cache.

    d = x - mean
    y = d * d
    y = into(y, np.multiply, d, scale)                  # y = d * scale, where the squares were

Only what an op has made itself may be written over: never an argument, a cotangent, or what stands in a cache.
"""

from __future__ import annotations

import functools

import numpy as np


@functools.lru_cache(maxsize=64)
def ones(n, dtype):
    """A vector of ones, to sum rows by a product with it. It is the same one at every call, so it can only be read."""
    vector = np.ones(n, dtype)
    vector.flags.writeable = False
    return vector


def into(place, f, *args):
    """f(*args) in the memory of `place`; an array of its own where one of them is being differentiated."""
    for a in (place, *args):
        if type(a) is not np.ndarray and type(a) is not float:
            return f(*args)
    return f(*args, out=place)
