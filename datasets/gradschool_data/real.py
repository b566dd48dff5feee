"""Real data that scikit-learn carries inside its package: measured, small, and there without a download.

data = digits(seed=0)                 # Split of X (N, 64) in [0, 1] and y (N,): 8 x 8 pixels, ten classes
X, y = digits(seed=0, images=True).train        # X (N, 8, 8, 1)
"""

from __future__ import annotations

import numpy as np

from .needed import needed
from .splits import Split, split


def digits(seed: int = 0, valid: float = 0.2, test: float = 0.2, images: bool = False) -> Split:
    """1,797 handwritten digits of 8 x 8 pixels, grey values in [0, 1] (Alpaydin and Kaynak, 1998)."""
    X, y = arrays("digits")
    X = X / 16.0
    return parts(X.reshape(-1, 8, 8, 1) if images else X, y, seed, valid, test)


def iris(seed: int = 0, valid: float = 0.2, test: float = 0.2) -> Split:
    """150 flowers, four lengths in cm, three species (Fisher, 1936)."""
    return parts(*arrays("iris"), seed, valid, test)


def wine(seed: int = 0, valid: float = 0.2, test: float = 0.2) -> Split:
    """178 wines, 13 measurements on very different scales, three growers (Aeberhard and Forina, 1992)."""
    return parts(*arrays("wine"), seed, valid, test)


def breast_cancer(seed: int = 0, valid: float = 0.2, test: float = 0.2) -> Split:
    """569 tumours, 30 measurements, malignant (0) or benign (1) (Wolberg, Mangasarian and Street, 1995)."""
    return parts(*arrays("breast_cancer"), seed, valid, test)


def diabetes(seed: int = 0, valid: float = 0.2, test: float = 0.2) -> Split:
    """442 patients, ten features, progression after a year as a number from 25 to 346 (Efron et al., 2004)."""
    return parts(*arrays("diabetes"), seed, valid, test)


def arrays(name: str) -> tuple[np.ndarray, np.ndarray]:
    bunch = getattr(needed("sklearn.datasets", "scikit-learn", name), f"load_{name}")()
    return np.asarray(bunch.data, dtype=np.float64), np.asarray(bunch.target)


def parts(X: np.ndarray, y: np.ndarray, seed: int, valid: float, test: float) -> Split:
    return split(X, y, valid, test, np.random.default_rng(seed))
