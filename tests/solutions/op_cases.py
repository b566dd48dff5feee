"""Arguments for every op and loss over its options, of sizes that are all different: what drives the tests.

arguments, options = CASES["conv"][0](np.random.default_rng(0))
OPS["conv"].forward(*arguments, **options)
"""

import numpy as np

import gradschool as gs


def away(rng, *shape):
    """Random numbers of both signs that stay away from a kink at zero."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 2.0, shape)


def simplex(rng, *shape):
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def entries(rng, *shape):
    """Independent probabilities, none near 0 or 1."""
    return rng.uniform(0.05, 0.95, shape)


def labels(rng, K, *shape):
    return rng.integers(0, K, shape)


def masked(rng, *shape):
    """A mask with zeros and ones, both of them."""
    mask = rng.integers(0, 2, shape)
    mask.flat[:2] = 0, 1
    return mask


class Again:
    """A generator that begins again at every draw, so that chance repeats itself."""

    def random(self, shape, dtype=float):
        return np.random.default_rng(12).random(shape, dtype=dtype)


def elementwise(**options):
    return lambda r: ([away(r, 3, 5, 4)], options)


def normalised(*shape, **options):
    """x, gamma and beta of a normalisation."""
    return lambda r: ([r.normal(size=shape), *r.uniform(0.5, 2, (2, shape[-1]))], options)


def batches_normalised(*shape, **options):
    """The same with a running mean and variance."""
    return lambda r: ([r.normal(size=shape), *r.uniform(0.5, 2, (4, shape[-1]))], options)


def attended(**options):
    """Q, K and V of different lengths and depths."""
    return lambda r: ([r.normal(size=s) for s in ((3, 5, 8), (3, 7, 8), (3, 7, 12))], options)


def regression(**options):
    return [
        lambda r: ([away(r, 5, 3), r.normal(size=(5, 3)) * 0.04], options),
        lambda r: ([away(r, 4, 7, 3), np.zeros((4, 7, 3))], {**options, "normalization": "all-elements"}),
        lambda r: (
            [away(r, 4, 7, 3), np.zeros((4, 7, 3))],
            {**options, "mask": masked(r, 4, 7), "weights": r.uniform(1, 3, 3), "normalization": "mask-included"},
        ),
        lambda r: ([away(r, 5, 3), np.zeros((5, 3))], {**options, "reduction": "none", "weights": r.uniform(1, 3, 3)}),
    ]


def recurrent(gates, states=1, biases=1, **options):
    """Sequences (5, 6, 3) for 4 units, with a first state for each or for all, and with lengths."""

    def arguments(r, last):
        b = r.normal(size=gates * 4) if biases == 1 else r.normal(size=(biases, gates * 4))
        X, W, R = r.normal(size=(5, 6, 3)), r.normal(size=(3, gates * 4)), r.normal(size=(4, gates * 4))
        W, R = 0.5 * W, 0.5 * R  # larger ones bend so much over six steps that differences are no oracle
        return [X, W, R, b, *(r.normal(size=(5, 4)) for _ in range(states - 1)), last]

    return [
        lambda r: (arguments(r, r.normal(size=(5, 4))), options),
        lambda r: (arguments(r, r.normal(size=4)), {**options, "mask": np.array([3, 0, 6, 4, 1])}),
    ]


def convolved(X, W, **options):
    """X (N, *S, C), W (*k, C / groups, O) and a bias for it."""
    return lambda r: ([r.normal(size=X), r.normal(size=W), r.normal(size=W[-1])], options)


def apart(r, *shape):
    """Numbers of both signs that are all different, by more than a difference quotient can overlook."""
    return (r.permutation(np.prod(shape)).reshape(shape) - np.prod(shape) / 2) / 10


def pooled(*shape, **options):
    return lambda r: ([apart(r, *shape)], options)


BATCHNORM = [
    batches_normalised(7, 3, training=True, momentum=0.8),
    batches_normalised(4, 5, 3, training=True, unbiased_running=True),
    batches_normalised(4, 3, 5, 6, training=True, eps=0.1),
    batches_normalised(5, 3),
    batches_normalised(4, 3, 5, 6),
]


CASES = {
    "relu": [elementwise()],
    "leaky_relu": [elementwise(alpha=0.2), elementwise(alpha=1.5)],
    "elu": [elementwise(), elementwise(alpha=0.7)],
    "selu": [elementwise()],
    "sigmoid": [elementwise()],
    "tanh": [elementwise()],
    "softplus": [elementwise()],
    "swish": [elementwise()],
    "erf": [elementwise()],
    "gelu": [elementwise(), elementwise(approximate="tanh")],
    "dense": [
        lambda r: ([r.normal(size=(5, 3)), r.normal(size=(3, 4)), r.normal(size=4)], {}),
        lambda r: ([r.normal(size=(5, 7, 3)), r.normal(size=(3, 4)), r.normal(size=4)], {}),
        lambda r: ([r.normal(size=3), r.normal(size=(3, 4)), r.normal(size=4)], {}),
    ],
    "conv": [
        convolved((3, 7, 4), (3, 4, 5), stride=2, padding=((1, 0),)),
        convolved((3, 7, 4), (4, 1, 4), padding="same", stride=3, groups=4),
        convolved((3, 5, 6, 4), (3, 4, 4, 1), dilation=(1, 2), padding=((1, 2), (0, 3)), padding_value=0.7),
        convolved((3, 5, 4, 6), (3, 1, 3, 4), groups=2, padding=2, padding_value="symmetric-exclude-edge"),
        convolved((3, 4, 5, 3), (2, 3, 1, 6), groups=3, padding=1, stride=2, padding_value="symmetric-include-edge"),
        convolved((1, 3, 5, 4, 3), (2, 3, 1, 3, 4), padding=1, padding_value="replicate"),
        convolved((3, 5, 4, 5), (3, 3, 5, 4)),
        convolved((2, 10, 4, 4), (3, 2, 4, 3), padding=1),
    ],
    "conv_transpose": [
        lambda r: ([r.normal(size=(3, 5, 4)), r.normal(size=(3, 6, 4)), r.normal(size=6)], {"stride": 2}),
        lambda r: (
            [r.normal(size=(3, 4, 5, 6)), r.normal(size=(3, 1, 5, 6)), r.normal(size=10)],
            {"groups": 2, "stride": (3, 2), "dilation": (2, 3), "crop": ((1, 2), 0)},
        ),
        lambda r: (
            [r.normal(size=(3, 4, 5, 3)), r.normal(size=(3, 1, 1, 3)), r.normal(size=3)],
            {"groups": 3, "stride": 2, "crop": 1},
        ),
        lambda r: (
            [r.normal(size=(1, 3, 4, 5, 3)), r.normal(size=(2, 3, 4, 3, 3)), r.normal(size=3)],
            {"stride": 3, "crop": "same"},
        ),
    ],
    "avgpool": [
        pooled(3, 7, 4, size=3, stride=2, padding="same"),
        pooled(3, 5, 6, 4, size=(3, 2), padding=((1, 0), 1), count_include_pad=True),
        pooled(3, 5, 6, 4, size="global"),
        pooled(1, 3, 5, 4, 3, size=2, stride=1),
    ],
    "maxpool": [
        pooled(3, 7, 4, size=3, stride=2, padding="same"),
        pooled(3, 6, 7, 4, size=2),
        pooled(3, 5, 6, 4, size=(3, 2), stride=1, padding=((1, 0), 1), dilation=(2, 1)),
        pooled(1, 3, 5, 4, 3, size=2),
    ],
    "maxunpool": [
        lambda r: ([r.normal(size=(3, 5, 4)), r.integers(0, 11, (3, 5, 4))], {"sizes": (11,)}),
        lambda r: ([r.normal(size=(3, 4, 5, 6)), r.integers(0, 63, (3, 4, 5, 6))], {"sizes": (7, 9)}),
    ],
    "softmax": [lambda r: ([r.normal(size=(5, 3))], {}), lambda r: ([r.normal(size=(5, 3, 4))], {"axis": 1})],
    "log_softmax": [lambda r: ([r.normal(size=(5, 3))], {}), lambda r: ([r.normal(size=(5, 3, 4))], {"axis": 1})],
    "rnn": [*recurrent(1), *recurrent(1, activation="softsign")],
    "lstm": [*recurrent(4, 2), *recurrent(4, 2, activation="softsign", gate_activation="hard-sigmoid")],
    "gru": [*recurrent(3), *recurrent(3, biases=2), *recurrent(3, reset="before", activation="softsign")],
    "ctc_loss": [
        lambda r: ([np.log(simplex(r, 5, 7, 4)), r.integers(1, 4, (5, 3))], {}),
        lambda r: (
            [np.log(simplex(r, 5, 7, 4)), np.array([[0, 0, 1], [2, 1, 2], [1, 1, 1], [0, 2, 2], [1, 0, 1]])],
            {"mask": np.array([7, 6, 5, 7, 1]), "target_mask": np.array([3, 3, 2, 0, 1]), "blank": -1},
        ),
        lambda r: (
            [np.log(simplex(r, 5, 7, 4)), r.integers(0, 3, (5, 3))],
            {"blank": 3, "reduction": "none", "mask": masked(r, 5, 7) | (np.arange(7) > 1)},
        ),
    ],
    "batchnorm": BATCHNORM,
    "layernorm": [
        normalised(5, 3),
        normalised(4, 7, 3, eps=0.1),
        normalised(4, 3, 5, 6, axes=(1, 2, 3)),
        normalised(4, 5, 3, axes=1),
        lambda r: ([r.normal(size=(4, 5, 3)), *r.uniform(0.5, 2, (2, 5, 3))], {"axes": (-1, -2)}),
    ],
    "groupnorm": [normalised(5, 6, groups=3), normalised(4, 3, 5, 6, groups=2, eps=0.1)],
    "instancenorm": [normalised(4, 5, 3), normalised(4, 3, 5, 6)],
    "crosschannelnorm": [
        lambda r: ([away(r, 5, 7)], {"window": 4, "alpha": 0.9}),
        lambda r: ([away(r, 3, 5, 4)], {"window": 3, "alpha": 0.5, "beta": 1.3, "k": 0.7}),
    ],
    "attention": [
        attended(),
        attended(heads=4, scale=0.7),
        attended(heads=4, attention_mask="causal", first=-1, return_weights=True),
        lambda r: ([r.normal(size=(3, 5, 4)) for _ in range(3)], {"attention_mask": masked(r, 3, 5, 5)}),
        attended(heads=4, padding_mask=np.arange(7) < [[7], [3], [0]], dropout=0.3, rng=Again(), return_weights=True),
    ],
    "embed": [
        lambda r: ([r.normal(size=(6, 3)), r.integers(0, 5, (4, 7))], {}),
        lambda r: ([r.normal(size=(6, 3)), r.integers(0, 5, 13)], {"padding_id": 2}),
    ],
    "dropout": [elementwise(rate=0.3, rng=Again()), elementwise(rate=0.3, training=False)],
    "alpha_dropout": [elementwise(rate=0.3, rng=Again()), elementwise(rate=0.3, training=False)],
    "l1_loss": regression(),
    "l2_loss": regression(),
    "half_mse": regression(),
    "huber": regression(delta=0.8),
    "cross_entropy": [
        lambda r: ([entries(r, 5, 3), simplex(r, 5, 3)], {"weights": np.array([1.0, 2.0, 3.0])}),
        lambda r: ([entries(r, 4, 7, 3), simplex(r, 4, 7, 3)], {"mask": masked(r, 4, 7)}),
        lambda r: ([entries(r, 5, 3), entries(r, 5, 3)], {"mode": "multilabel", "reduction": "none"}),
    ],
    "sparse_cross_entropy": [
        lambda r: ([entries(r, 5, 3), labels(r, 3, 5)], {"weights": np.array([1.0, 2.0, 3.0])}),
        lambda r: ([entries(r, 4, 7, 3), labels(r, 3, 4, 7)], {"mask": masked(r, 4, 7)}),
        lambda r: ([entries(r, 5, 3), labels(r, 3, 5)], {"reduction": "none"}),
    ],
    "bce_with_logits": [
        lambda r: ([r.normal(size=5), r.uniform(size=5)], {}),
        lambda r: ([r.normal(size=(5, 3)), r.uniform(size=(5, 3))], {"weights": np.array([1.0, 2.0, 3.0])}),
        lambda r: ([r.normal(size=(5, 3)), r.uniform(size=(5, 3))], {"reduction": "none", "mask": masked(r, 5)}),
    ],
    "softmax_cross_entropy": [
        lambda r: ([r.normal(size=(5, 3)), simplex(r, 5, 3)], {"weights": np.array([1.0, 2.0, 3.0])}),
        lambda r: ([r.normal(size=(4, 7, 3)), gs.one_hot(labels(r, 3, 4, 7), 3)], {"mask": masked(r, 4, 7)}),
        lambda r: ([r.normal(size=(5, 3)), 3 * simplex(r, 5, 3)], {"reduction": "none"}),
    ],
}
