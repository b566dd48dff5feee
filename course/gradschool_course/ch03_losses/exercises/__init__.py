"""The exercises of chapter 3 in the order of its text."""

from . import regression

EXERCISES = [*regression.EXERCISES]
