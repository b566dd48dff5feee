"""L-BFGS on a small regression: all the data at every step, no learning rate to find. Adam is given as many steps."""

import numpy as np

import gradschool as gs

rng = np.random.default_rng(0)
X = rng.uniform(-2, 2, (200, 2))
T = (np.sin(2 * X[:, 0]) * X[:, 1])[:, None]
net = gs.mlp([20], 1, gs.tanh)
params, state, _ = net.init(rng, (2,))


def fit(optimizer, steps):
    """The history of so many steps, on all samples each."""
    return gs.train(
        net, params, (X, T), optimizer, gs.half_mse, steps, rng=rng, state=state, batch_size=len(X),
        penalty=lambda params: gs.l2_penalty(params, 1e-6),
    )  # fmt: skip


history = fit(gs.lbfgs(), 150)
X_new = rng.uniform(-2, 2, (1000, 2))
error = gs.predict(net, history.params, X_new, history.state)[:, 0] - np.sin(2 * X_new[:, 0]) * X_new[:, 1]
print(f"loss after 150 steps of Adam: {fit(gs.optimizer('adam', lr=0.01), 150).losses[-1]:.4f}")  # 0.0314
print(f"loss after 150 steps of L-BFGS: {history.losses[-1]:.4f}")  # 0.0008
print(f"root mean square error on new points: {np.sqrt(np.mean(error**2)):.4f}")  # 0.0536
