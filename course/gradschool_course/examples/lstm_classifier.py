"""An LSTM tells the shape of a wave: sine, square or saw, of any phase, period and length, under noise."""

import numpy as np

import gradschool as gs
from gradschool.layers import dense, lstm

rng = np.random.default_rng(0)
SHAPES = np.sin, lambda a: np.sign(np.sin(a)), lambda a: (a / np.pi) % 2 - 1


def waves(n, T=24):
    """Padded sequences (n, T, 1) with their lengths (n,), and the shapes, one-hot (n, 3)."""
    y, lengths = rng.integers(0, 3, n), rng.integers(T // 2, T + 1, n)
    angles = rng.uniform(0, 2 * np.pi, (n, 1)) + np.arange(T) * 2 * np.pi / rng.uniform(6, 12, (n, 1))
    X = np.select([(y == k)[:, None] for k in range(3)], [shape(angles) for shape in SHAPES])
    X = (X + 0.1 * rng.normal(size=X.shape)) * (np.arange(T) < lengths[:, None])
    return (X[..., None], lengths), gs.one_hot(y, 3)


net = gs.sequential(lstm(24), dense(3))  # a pair goes in: steps behind a sequence's end change nothing
params, state, _ = net.init(rng, ((24, 1), ()))
history = gs.train(
    net, params, waves(1000), gs.optimizer("adam", lr=0.01), gs.softmax_cross_entropy, 6, rng=rng, state=state,
    gradients=lambda grads, params: gs.clip_by_global_norm(grads, 1.0),
)  # fmt: skip
X, T = waves(1000)
print(f"accuracy on new waves: {gs.accuracy(gs.predict(net, history.params, X, history.state), T):.2f}")  # 0.95
