"""Handwritten digits with batch norm before each activation: its running statistics are the state that goes along."""

import numpy as np

import gradschool as gs
from gradschool.layers import batchnorm, dense
from gradschool_data import digits

data, rng = digits(seed=0), np.random.default_rng(0)
train, valid, test = ((X, gs.one_hot(y, 10)) for X, y in data)
hidden = [part for units in (64, 32) for part in (dense(units, gs.he, bias=False), batchnorm(), gs.elu)]
net = gs.sequential(batchnorm(), *hidden, dense(10))
params, state, _ = net.init(rng, (64,))
nadam, loss, metrics = gs.optimizer("nadam", lr=5e-3), gs.softmax_cross_entropy, {"accuracy": gs.accuracy}
history = gs.train(
    net, params, train, nadam, loss, 15, rng=rng, state=state, validation=valid, metrics=metrics,
    callbacks=[gs.EarlyStopping(patience=5)],
)  # fmt: skip
print(f"validation accuracy after the first epoch: {history.epochs['val_accuracy'][0]:.3f}")  # 0.939
result = gs.evaluate(net, history.params, test, loss, metrics, history.state)
print(f"accuracy on the test digits: {result['accuracy']:.3f}")  # 0.989
