"""Arguments for the functions that are composed of ops, and so have no backward of their own, as in `op_cases`.

function, inputs, cases = COMPOSED["contrastive_loss"]      # `inputs`: how many arguments are differentiable
arguments, options = cases[0](np.random.default_rng(0))
function(*arguments, **options)
"""

import numpy as np
from op_cases import masked

import gradschool as gs


def readers(r, gates, H=4, C=3):
    """Weights of two readers of sequences, as two dicts."""
    make = lambda: {
        "W": r.normal(size=(C, gates * H)) / 2,
        "R": r.normal(size=(H, gates * H)) / 2,
        "b": r.normal(size=gates * H),
    }
    return make(), make()


def both_ways(layer, gates, **options):
    """`bidirectional` as a function of arrays: X and the weights of both readers."""

    def read(X, W, R, b, W2, R2, b2, **options):
        ahead, back = {"W": W, "R": R, "b": b}, {"W": W2, "R": R2, "b": b2}
        return gs.bidirectional(layer, X, ahead, back, **options)

    def arguments(r):
        first, second = readers(r, gates)
        return [r.normal(size=(5, 6, 3)), *first.values(), *second.values()], options

    return read, 7, [arguments]


def swirl(t, y, A):
    return np.tanh(y @ A) - 0.1 * t * y


def solved(y0, A, **options):
    return gs.odeint(swirl, y0, (0.0, 0.4, 1.0), A, **options)


TIGHT = {"rtol": 1e-9, "atol": 1e-9}  # a step that is chosen otherwise changes the solution by no more than that
weights = lambda r: {"W": r.normal(size=(3, 5)), "b": r.normal(size=5)}
COMPOSED = {
    "bidirectional": both_ways(gs.rnn, 1),
    "bidirectional lstm": both_ways(gs.lstm, 4, mask=np.array([3, 0, 6, 4, 1]), merge="sum"),
    "bidirectional gru": both_ways(gs.gru, 3, mask=np.array([3, 0, 6, 4, 1])),
    "last_valid": (
        gs.last_valid,
        1,
        [
            lambda r: ([r.normal(size=(5, 6, 3))], {}),
            lambda r: ([r.normal(size=(4, 6, 3, 7))], {"mask": np.array([3, 0, 6, 1])}),
            lambda r: ([r.normal(size=(5, 6, 3))], {"mask": masked(r, 5, 6)}),
        ],
    ),
    "odeint": (
        solved,
        2,
        [
            lambda r: ([r.normal(size=(5, 3)), r.normal(size=(3, 3))], TIGHT),
            lambda r: ([r.normal(size=(5, 3)), r.normal(size=(3, 3))], {**TIGHT, "gradient": "adjoint"}),
            lambda r: ([r.normal(size=3), r.normal(size=(3, 3))], {**TIGHT, "gradient": "adjoint-seminorm"}),
        ],
    ),
    "contrastive_loss": (
        gs.contrastive_loss,
        2,
        [
            lambda r: ([r.normal(size=(7, 3)), r.normal(size=(7, 3)), masked(r, 7)], {"margin": 2.5}),
            lambda r: ([r.normal(size=(7, 3)), r.normal(size=(7, 3)), masked(r, 7)], {"reduction": "none"}),
        ],
    ),
    "gan_discriminator_loss": (
        gs.gan_discriminator_loss,
        2,
        [
            lambda r: ([r.normal(size=7), r.normal(size=5)], {}),
            lambda r: ([r.normal(size=(7, 3)), r.normal(size=(5, 3))], {"real_target": 0.9}),
        ],
    ),
    "gan_generator_loss": (
        gs.gan_generator_loss,
        1,
        [
            lambda r: ([r.normal(size=7)], {}),
            lambda r: ([r.normal(size=(7, 3))], {"form": "minimax"}),
        ],
    ),
    "l1_penalty": (lambda W, b, **o: gs.l1_penalty({"W": W, "b": b}, **o), 2, [
        lambda r: (list(weights(r).values()), {"strength": 0.3}),
        lambda r: (list(weights(r).values()), {"strength": 0.3, "where": lambda path, p: path == "b"}),
    ]),
    "l2_penalty": (lambda W, b, **o: gs.l2_penalty({"W": W, "b": b}, **o), 2, [
        lambda r: (list(weights(r).values()), {"strength": 0.3}),
        lambda r: (list(weights(r).values()), {"strength": 0.3, "where": lambda path, p: path == "b"}),
    ]),
}  # fmt: skip
