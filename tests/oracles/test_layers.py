"""Networks of layers have PyTorch's values, gradients and statistics to 1e-10; what is frozen stays as in PyTorch."""

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers
from gradschool.layers import branches, conv, dense, prelu, residual, sequential

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional
RTOL, ATOL = 1e-10, 1e-12


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=RTOL, atol=ATOL)


def tensors(params):
    return gs.tree_map(lambda p: torch.tensor(p, requires_grad=True), params)


def started(net, shape, seed=1):
    params, state, _ = net.init(np.random.default_rng(seed), shape)
    rng = np.random.default_rng(seed + 1)
    return gs.tree_map(lambda p: p + 0.2 * rng.normal(size=p.shape), params), state


def agree(net, params, state, x, theirs):
    """Values and all gradients in training; returns our new state."""
    kept = []

    def ours(p, x):
        y, after = net.apply(p, state, x, training=True)
        kept.append(after)
        return y

    y, pullback = gs.vjp(ours, params, x)
    t, u = tensors(params), torch.tensor(x, requires_grad=True)
    expected = theirs(t, u)
    close(y, expected)
    g = np.random.default_rng(9).normal(size=y.shape)
    expected.backward(torch.tensor(g))
    dp, dx = pullback(g)
    for ours_d, leaf in zip(gs.tree_leaves((dp, dx)), gs.tree_leaves((t, u)), strict=True):
        np.testing.assert_allclose(ours_d, leaf.grad.numpy(), rtol=1e-9, atol=1e-11)
    return kept[0]


def kernel(W):
    return W.movedim((-1, -2), (0, 1))


def in_order(x):
    return x.movedim(-1, 1)


def test_a_residual_network_for_images_is_pytorchs():
    block = residual(
        conv(6, 3, padding=1, bias=False), layers.batchnorm(unbiased_running=True), prelu(),
        conv(6, 3, padding=1, groups=2),
        shortcut=conv(6, 1),
    )  # fmt: skip
    net = sequential(block, layers.maxpool(2), layers.depthwise_conv(3, 2), layers.global_avgpool(), dense(5))
    params, state = started(net, (8, 9, 3))
    x = np.random.default_rng(3).normal(size=(4, 8, 9, 3))
    mean, var = torch.zeros(6, dtype=torch.float64), torch.ones(6, dtype=torch.float64)

    def theirs(p, x):
        x, (shortcut, body) = in_order(x), p[0]
        y = F.conv2d(x, kernel(body[0]["W"]), padding=1)
        y = F.batch_norm(y, mean, var, body[1]["gamma"], body[1]["beta"], training=True)
        y = F.prelu(y, body[2]["a"])
        y = F.conv2d(y, kernel(body[3]["W"]), body[3]["b"], padding=1, groups=2)
        y = F.max_pool2d(y + F.conv2d(x, kernel(shortcut["W"]), shortcut["b"]), 2)
        y = F.conv2d(y, kernel(p[2]["W"]), p[2]["b"], groups=6)
        return y.mean((2, 3)) @ p[4]["W"] + p[4]["b"]

    after = agree(net, params, state, x, theirs)
    close(after[0][1][1]["mean"], mean)
    close(after[0][1][1]["var"], var)


def test_an_autoencoder_with_branches_is_pytorchs():
    down = branches(layers.separable_conv(4, 3, stride=2, padding=1), layers.avgpool(2))
    net = sequential(down, gs.elu, layers.conv_transpose(3, 4, stride=2, crop=1), gs.softmax)
    params, state = started(net, (8, 6, 3))
    x = np.random.default_rng(4).normal(size=(5, 8, 6, 3))

    def theirs(p, x):
        x, ((depth, mix), _) = in_order(x), p[0]
        y = F.conv2d(x, kernel(depth["W"]), stride=2, padding=1, groups=3)
        y = torch.cat([F.conv2d(y, kernel(mix["W"]), mix["b"]), F.avg_pool2d(x, 2)], 1)
        y = F.conv_transpose2d(F.elu(y), kernel(p[2]["W"]), p[2]["b"], stride=2, padding=1)
        return torch.softmax(y, 1).movedim(1, -1)

    agree(net, params, state, x, theirs)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_two_floors_of_readers_of_different_lengths_are_pytorchs(kind):
    floor = {"LSTM": lambda **o: layers.lstm(4, **o), "GRU": lambda **o: layers.gru(4, two_biases=True, **o)}[kind]
    net = sequential(layers.bidirectional(floor(every=True)), layers.bidirectional(floor()), dense(2))
    params, _, _ = net.init(np.random.default_rng(5), ((7, 3), ()))
    X, lengths = np.random.default_rng(6).normal(size=(5, 7, 3)), np.array([7, 3, 1, 6, 2])
    theirs = getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True, batch_first=True).double()
    with torch.no_grad():
        for i in range(2):
            for end, reader in (("", "ahead"), ("_reverse", "back")):
                own = params[i][reader]
                b = own["b"] if own["b"].ndim == 2 else np.stack([own["b"], np.zeros_like(own["b"])])
                for name, value in (
                    ("weight_ih", own["W"].T),
                    ("weight_hh", own["R"].T),
                    ("bias_ih", b[0]),
                    ("bias_hh", b[1]),
                ):
                    getattr(theirs, f"{name}_l{i}{end}").copy_(torch.tensor(value))
    packed = nn.utils.rnn.pack_padded_sequence(torch.tensor(X), torch.tensor(lengths), True, enforce_sorted=False)
    H = theirs(packed)[1]
    H = H[0] if kind == "LSTM" else H
    expected = torch.cat([H[2], H[3]], -1).detach().numpy() @ params[2]["W"]
    np.testing.assert_allclose(gs.predict(net, params, (X, lengths)), expected, rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("adamw", lambda ps: torch.optim.AdamW(ps, 0.01, weight_decay=0.1)),
        ("momentum", lambda ps: torch.optim.SGD(ps, 0.01, momentum=0.9)),
    ],
)
@pytest.mark.parametrize("held", [False, True])
def test_what_is_frozen_moves_and_counts_as_in_pytorch(name, theirs, held):
    """`requires_grad=False` for the body, and for `hold` its batch norm in eval mode."""
    net = sequential(dense(6), layers.batchnorm(unbiased_running=True), gs.relu, dense(3))
    params, state = started(net, (4,))
    body, head = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6)).double(), nn.Linear(6, 3).double()
    with torch.no_grad():
        for layer, p in ((body[0], params[0]), (head, params[3])):
            layer.weight.copy_(torch.tensor(p["W"].T))
            layer.bias.copy_(torch.tensor(p["b"]))
        body[1].weight.copy_(torch.tensor(params[1]["gamma"]))
        body[1].bias.copy_(torch.tensor(params[1]["beta"]))
    body.requires_grad_(False)
    body.train(not held)
    options = {"weight_decay": 0.1} if name == "adamw" else {}
    mine = gs.in_place(gs.with_factors(gs.optimizer(name, **options), gs.freeze(params, 0, 1)))
    model = gs.hold(net, 0, 1) if held else net
    weights = gs.contiguous(params)
    memory, optimizer = mine.init(weights), theirs([*body.parameters(), *head.parameters()])
    rng = np.random.default_rng(7)
    for _ in range(5):
        X, T = rng.normal(2, 1, (9, 4)), rng.normal(size=(9, 3))
        _, _, state, weights, memory = gs.training_step(model, gs.half_mse, mine, weights, state, memory, (X, T), 0.01)
        optimizer.zero_grad()
        (((head(torch.relu(body(torch.tensor(X)))) - torch.tensor(T)) ** 2).sum() / 18).backward()
        optimizer.step()
    close(weights.tree[3]["W"], head.weight.T)
    close(state[1]["mean"], body[1].running_mean)
    close(state[1]["var"], body[1].running_var)
    np.testing.assert_array_equal(weights.tree[0]["W"], params[0]["W"])
