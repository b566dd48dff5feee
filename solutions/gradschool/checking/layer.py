"""`check_layer`: the list of what a layer must keep, gone through one by one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..layers import Layer
from ..layers.base import as_layer
from ..models import count_parameters
from . import behaviour, gradients
from .case import Case, Inputs, Problem
from .report import LayerReport

PROPERTIES: dict[str, Callable[[Case], None]] = {
    "parameters come from the generator alone": behaviour.parameters,
    "shapes are as promised": behaviour.shapes,
    "the state keeps its structure": behaviour.states,
    "chance comes from the generator alone": behaviour.chance,
    "each sample is predicted by itself": behaviour.sample_by_sample,
    "float32 stays float32": behaviour.types,
    "gradient": gradients.gradients,
    "nothing that is given is changed": behaviour.hands_off,
    "gradient, taken late or twice": gradients.repeatable,
    "pickling": behaviour.pickling,
}


def check_layer(
    layer: Layer | Callable[..., Any],
    shape: Any,
    inputs: Inputs | None = None,
    batch_sizes: Sequence[int] = (1, 3, 5),
    seed: int = 0,
) -> LayerReport:
    """Does a layer keep what a layer promises? Looked at in prediction and in training, at several batch sizes.

    shape        of one sample, as `layer.init` takes it
    inputs       inputs(rng, n) draws n samples, for layers that take whole numbers or several arrays; without it
                 they are normal numbers
    batch_sizes  0 among them asks for shapes without samples too; gradients at batch size 1 alone would hide a sum
                 over the batch that is missing
    seed         of all that is random: the same seed, the same report

    Returns a `LayerReport`, which is true if all is right and prints as a list. It raises nothing that the layer does:
    an exception is a property that does not hold. A function of x, such as `gs.relu`, is the layer that it stands for.

    Raises TypeError for what is no layer, such as `layers.dense` in the place of `layers.dense(3)`.

    Source: MATLAB's `checkLayer`.

    >>> from gradschool.layers import dense
    >>> check_layer(dense(3), (5,))
    dense(3), samples (5,), 18 parameters
      right  parameters come from the generator alone
      right  shapes are as promised
      right  the state keeps its structure
      right  chance comes from the generator alone
      right  each sample is predicted by itself
      right  float32 stays float32
      right  gradient
      right  nothing that is given is changed
      right  gradient, taken late or twice
      right  pickling
    """
    layer = as_layer(layer)
    case = Case(layer, shape, inputs, tuple(batch_sizes), seed)
    found = {}
    for name, look in PROPERTIES.items():
        problem = problem_of(look, case)
        found[name] = "as above, so this could not be looked at" if problem and problem in found.values() else problem
        if found[name] and look is behaviour.parameters:
            break  # nothing else can be looked at
    return LayerReport(f"{layer.name}, samples {shape}{parameters(case)}", found)


def parameters(case: Case) -> str:
    try:
        return f", {count_parameters(case.start()[0])} parameters"
    except Exception:  # told by the first property
        return ""


def problem_of(look: Callable[[Case], None], case: Case) -> str:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            look(case)
    except Problem as problem:
        return str(problem)
    except Exception as error:
        at: Any = error.__traceback__
        while at.tb_next:  # to where it was raised
            at = at.tb_next
        return f"{type(error).__name__}: {error} (line {at.tb_lineno} of {Path(at.tb_frame.f_code.co_filename).name})"
    return ""
