"""A twin network: the same weights look at two digits and place those of one kind near each other."""

import numpy as np

import gradschool as gs
from gradschool_data import digits

data, rng = digits(seed=0), np.random.default_rng(0)
net = gs.mlp([64, 32], 2, gs.relu, gs.he)


def pairs(X, y, n):
    """n pairs, about half of which show the same digit, and 1 where they do."""
    i, j = rng.integers(0, len(y), (2, n))
    same = rng.random(n) < 0.5
    j[same] = [rng.choice(np.flatnonzero(y == digit)) for digit in y[i[same]]]
    return (X[i], X[j]), (y[i] == y[j]).astype(float)


def twin(params, a, b):
    """The plane's points for both: the weights are used twice, and both uses add to their gradient."""
    return net.apply(params, None, a)[0], net.apply(params, None, b)[0]


params, _, _ = net.init(rng, data.train[0].shape[1:])
adam, loss = gs.optimizer("adam", lr=2e-3), lambda Y, same: gs.contrastive_loss(Y[0], Y[1], same)
history = gs.train(twin, params, pairs(*data.train, 20_000), adam, loss, 10, rng=rng, batch_size=64)
two, same = pairs(*data.test, 2000)
A, B = gs.predict(twin, history.params, two)
print(f"new pairs told apart: {np.mean((np.linalg.norm(A - B, axis=1) < 0.5) == same):.2f}")  # 0.89
