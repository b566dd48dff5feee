"""Handwritten digits: one cycle of the learning rate, the momentum mirroring it, and the epoch that validates best."""

import numpy as np

import gradschool as gs
from gradschool import schedules
from gradschool_data import digits

data, rng, epochs = digits(seed=0), np.random.default_rng(0), 15
train, valid, test = ((X, gs.one_hot(y, 10)) for X, y in data)
net = gs.mlp([64, 32], 10, gs.elu, gs.he)
params, state, _ = net.init(rng, (64,))
momentum, loss = gs.optimizer("momentum"), gs.softmax_cross_entropy

found = gs.range_test(net, params, train, momentum, loss, rng=rng, state=state, steps=200)
steps = gs.count_steps(train, batch_size=32, epochs=epochs)
history = gs.train(
    net, params, train, momentum, loss, epochs, rng=rng, state=state, validation=valid,
    lr=schedules.one_cycle(found.pick("tenth"), steps), hyper={"beta": schedules.one_cycle_momentum(steps)},
    metrics={"accuracy": gs.accuracy}, callbacks=[gs.EarlyStopping(patience=epochs)],
)  # fmt: skip
result = gs.evaluate(net, history.params, test, loss, {"accuracy": gs.accuracy}, history.state)
print(f"accuracy on the test digits: {result['accuracy']:.3f}")  # 0.975
