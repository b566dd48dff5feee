"""Seeded generators: small problems of which everything is known, in two dimensions where one wants to see them.

X, y = spirals(300, np.random.default_rng(0), classes=3)      # X (300, 2), y (300,) integers
"""

from __future__ import annotations

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


def blobs(n: int, rng: np.random.Generator, classes: int = 3, features: int = 2, spread: float = 1.0) -> Pair:
    """Normal clouds of deviation `spread` around centres drawn from [-5, 5]: X (n, features), y (n,)."""
    centres = rng.uniform(-5, 5, size=(classes, features))
    y = rng.integers(classes, size=n)
    return centres[y] + spread * rng.normal(size=(n, features)), y


def moons(n: int, rng: np.random.Generator, noise: float = 0.1) -> Pair:
    """Two half circles that reach into each other: X (n, 2), y (n,)."""
    y = rng.integers(2, size=n)
    angle = np.pi * rng.uniform(size=n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    return np.where(y[:, None] == 0, upper, lower) + noise * rng.normal(size=(n, 2)), y


def spirals(n: int, rng: np.random.Generator, classes: int = 3, noise: float = 0.05, turns: float = 0.75) -> Pair:
    """Arms of a spiral, one a class, from the centre to radius 1: X (n, 2), y (n,)."""
    y = rng.integers(classes, size=n)
    radius = rng.uniform(0.05, 1, size=n)
    angle = 2 * np.pi * (turns * radius + y / classes)
    X = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return X + noise * rng.normal(size=(n, 2)), y


def xor(n: int, rng: np.random.Generator, noise: float = 0.0) -> Pair:
    """Class 1 where exactly one of two coordinates in [-1, 1] is positive: X (n, 2), y (n,)."""
    X = rng.uniform(-1, 1, size=(n, 2))
    y = ((X[:, 0] > 0) != (X[:, 1] > 0)).astype(int)
    return X + noise * rng.normal(size=(n, 2)), y


def line_with_outliers(n: int, rng: np.random.Generator, outliers: float = 0.1, noise: float = 0.3) -> Pair:
    """y = 2 x + 1 with normal noise, and a fraction `outliers` of targets far below: x (n, 1), y (n, 1)."""
    x = rng.uniform(-3, 3, size=(n, 1))
    y = 2 * x + 1 + noise * rng.normal(size=(n, 1))
    wild = rng.permutation(n)[: round(outliers * n)]
    y[wild] -= rng.uniform(8, 16, size=(len(wild), 1))
    return x, y


def housing(n: int, rng: np.random.Generator) -> Pair:
    """Prices that depend on eight features as prices do: skewed, capped at 5, with interactions.

    Features, in this order: income (10,000 a year), age of the house (years), rooms, bedrooms, people in the block,
    people a household, latitude and longitude (degrees). Target: price in 100,000. X (n, 8), y (n,).
    """
    income = rng.gamma(4.0, 0.95, size=n)
    age = rng.uniform(1, 52, size=n)
    rooms = 3 + 0.5 * income + rng.normal(scale=0.8, size=n).clip(-2, 4)
    bedrooms = (0.2 * rooms + rng.normal(scale=0.1, size=n)).clip(0.5)
    people = rng.lognormal(7.0, 0.7, size=n)
    household = rng.lognormal(1.05, 0.25, size=n)
    latitude, longitude = rng.uniform(32.5, 42, size=n), rng.uniform(-124.3, -114.3, size=n)
    coast = np.exp(-((longitude + 114.3 + 1.05 * (latitude - 32.5) - 2.8) ** 2) / 4)
    price = 0.35 * income + 0.9 * coast * np.sqrt(income) + 0.008 * age - 0.25 * np.log(household) + 0.1 * bedrooms
    price = (price * np.exp(rng.normal(scale=0.15, size=n))).clip(0.15, 5.0)
    return np.stack([income, age, rooms, bedrooms, people, household, latitude, longitude], axis=1), price
