"""Mistakes that can be made with any schedule, and where the chapter explains what can go wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradschool_grader.exercise import Misconception

from .draw import later, one_number

# headings of the chapter, at which a mistake points
FUNCTION = "A schedule is a function of the step"
POWERS = "Power: an honest hyperbola"
EXPONENTS = "Exponential: the same ratio at every step"
THREE_FORMS = "Three forms of one formula"
STAIRS = "Piecewise: who owns the boundary?"
EPOCHS = "Steps and epochs"
WARM = "Warm-up: begin gently"
POLYNOMIALS = "Polynomial: there on time"
COSINES = "Cosine: soft at both ends"
RESTARTS = "Warm restarts"
SAWS = "Cyclical rates: a saw"
CYCLE = "1cycle"
MIRROR = "Momentum in the mirror"
PLATEAU = "Waiting for a plateau"
ASKED = "Who asks, and when"


def any_schedule(factory: Callable[..., Any], *but: str) -> list[Misconception]:
    """What is wrong with a right formula: the step counted from 1, a number returned in the place of a function."""
    found = [
        Misconception(
            "starts_at_one",
            later(factory),
            "The loop asks for the first rate with step 0. Which step does your first rate belong to?",
            "steps were counted from 1: every rate comes one step too early",
            FUNCTION,
        ),
        Misconception(
            "a_number",
            one_number(factory, 0),
            "The training loop calls what you return, once for each step. Can it call yours?",
            "the rate of the first step were returned, and not a function",
            FUNCTION,
        ),
    ]
    return [mistake for mistake in found if mistake.name not in but]
