"""Attention: which digit stands right behind the marker, wherever in the sequence that is?"""

import numpy as np

import gradschool as gs
from gradschool.layers import dense, embedding, global_avgpool, layernorm, multihead, positions, residual

rng = np.random.default_rng(0)


def marked(n, T=10):
    """Sequences (n, T) of digits with one 10 among them, and the digit behind it, one-hot."""
    X, at = rng.integers(0, 10, (n, T)), rng.integers(0, T - 1, n)
    X[np.arange(n), at] = 10
    return X, gs.one_hot(X[np.arange(n), at + 1], 10)


# every place asks all places, twice; scores (N, 10) of the mean
look_up = residual(layernorm(), multihead(4))
net = gs.sequential(embedding(11, 32, std=1.0), positions(), multihead(4), look_up, global_avgpool(), dense(10))
params, state, _ = net.init(rng, (10,))
adam, loss = gs.optimizer("adam", lr=3e-3), gs.softmax_cross_entropy
history = gs.train(net, params, marked(5000), adam, loss, 6, rng=rng, state=state, batch_size=50)
X, T = marked(1000)
print(f"accuracy on new sequences: {gs.accuracy(gs.predict(net, history.params, X, history.state), T):.2f}")  # 1.00
