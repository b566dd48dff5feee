"""Normalisation, attention and embedding agree with PyTorch, or Keras, to 1e-10 on random shapes and options."""

import os

import numpy as np
import pytest

import gradschool as gs

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras
torch = pytest.importorskip("torch")
F = torch.nn.functional
RTOL, ATOL = 1e-10, 1e-12

# Keras on PyTorch hands its tensors to np.array, which NumPy 2 comments on.
of_keras = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def agree(ours, theirs, *inputs):
    """Values, and gradients for a random cotangent; ours may return more behind its first result."""
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    expected = theirs(*tensors)
    y, pullback = gs.vjp(lambda *a: (ours(*a),), *inputs)
    np.testing.assert_allclose(y[0], expected.detach().numpy(), rtol=RTOL, atol=ATOL)
    g = np.random.default_rng(9).normal(size=y[0].shape)
    expected.backward(torch.tensor(g))
    for ours_d, t in zip(pullback((g,)), tensors, strict=True):
        np.testing.assert_allclose(ours_d, t.grad.numpy(), rtol=RTOL, atol=ATOL)


@pytest.fixture
def keras():
    """Keras in float64, since it would otherwise take arrays as float32."""
    keras = pytest.importorskip("keras")
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield keras
    keras.config.set_floatx(before)


def first(function):
    """PyTorch wants the channels behind the batch."""
    return lambda x, *rest: function(x.movedim(-1, 1), *rest).movedim(1, -1)


def drawn(shape):
    rng = np.random.default_rng(list(shape))
    return rng.normal(1, 2, shape), *rng.uniform(0.5, 2, (4, shape[-1]))


SHAPES = [(7, 3), (4, 5, 6), (3, 4, 5, 6), (3, 2, 4, 5, 6), (600, 3), (1, 5, 6)]
PLACES = [shape for shape in SHAPES if len(shape) > 2]


@pytest.fixture(params=SHAPES, ids=str)
def shape(request):
    return request.param


# ------------------------------------------------------------------------------------------------------ normalisation
@pytest.mark.parametrize(("momentum", "eps"), [(0.9, 1e-5), (0.6, 0.1)])
def test_batchnorm_in_training_is_pytorchs_with_its_running_variance_unbiased(shape, momentum, eps):
    x, gamma, beta, mean, var = drawn(shape)
    options = {"training": True, "momentum": momentum, "eps": eps, "unbiased_running": True}
    running = torch.tensor(mean), torch.tensor(var)
    norm = first(lambda x, w, b: F.batch_norm(x, *running, w, b, True, 1 - momentum, eps))
    agree(lambda *a: gs.batchnorm(*a, mean, var, **options)[0], norm, x, gamma, beta)
    _, new_mean, new_var = gs.batchnorm(x, gamma, beta, mean, var, **options)
    np.testing.assert_allclose(new_mean, running[0].numpy(), rtol=RTOL)
    np.testing.assert_allclose(new_var, running[1].numpy(), rtol=RTOL)


def test_batchnorm_in_inference_is_pytorchs(shape):
    x, *rest = drawn(shape)

    def norm(x, gamma, beta, mean, var):  # F.batch_norm itself gives no gradient to mean and var
        return (x - mean) / torch.sqrt(var + 0.01) * gamma + beta

    agree(lambda *a: gs.batchnorm(*a, eps=0.01)[0], norm, x, *rest)
    gamma, beta, mean, var = map(torch.tensor, rest)
    expected = first(lambda x: F.batch_norm(x, mean, var, gamma, beta, eps=0.01))(torch.tensor(x))
    np.testing.assert_allclose(gs.batchnorm(x, *rest, eps=0.01)[0], expected.numpy(), rtol=RTOL, atol=ATOL)


def test_second_derivatives_of_batchnorm_are_pytorchs():
    x, gamma, beta, mean, var = drawn((7, 3))
    rng = np.random.default_rng(0)
    g, v = rng.normal(size=x.shape), rng.normal(size=x.shape)
    ours = lambda x: np.sum(g * gs.batchnorm(x, gamma, beta, mean, var, training=True)[0])
    t = torch.tensor(x, requires_grad=True)
    y = F.batch_norm(t, None, None, torch.tensor(gamma), torch.tensor(beta), True)
    slope = torch.autograd.grad(torch.sum(torch.tensor(g) * y), t, create_graph=True)[0]
    expected = torch.autograd.grad(torch.sum(slope * torch.tensor(v)), t)[0]
    np.testing.assert_allclose(gs.hessian_vector_product(ours, x, v), expected.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES[2:4], ids=str)
def test_layernorm_is_pytorchs_over_one_or_more_last_axes(shape, axes):
    rng = np.random.default_rng(axes)
    x, (gamma, beta) = rng.normal(1, 2, shape), rng.uniform(0.5, 2, (2, *shape[-axes:]))
    last = tuple(range(-axes, 0))
    norm = lambda x, w, b: F.layer_norm(x, shape[-axes:], w, b, 0.01)
    agree(lambda *a: gs.layernorm(*a, axes=last, eps=0.01), norm, x, gamma, beta)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", [(4, 6), *(s for s in PLACES if s[-1] == 6)], ids=str)
def test_groupnorm_is_pytorchs(shape, groups):
    x, gamma, beta, _, _ = drawn(shape)
    norm = first(lambda x, w, b: F.group_norm(x, groups, w, b, 0.01))
    agree(lambda *a: gs.groupnorm(*a, groups=groups, eps=0.01), norm, x, gamma, beta)


@pytest.mark.parametrize("shape", PLACES, ids=str)
def test_instancenorm_is_pytorchs(shape):
    x, gamma, beta, _, _ = drawn(shape)
    norm = first(lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=0.01))
    agree(lambda *a: gs.instancenorm(*a, eps=0.01), norm, x, gamma, beta)


@pytest.mark.parametrize("window", [1, 3, 5, 9])
@pytest.mark.parametrize("shape", PLACES, ids=str)
def test_crosschannelnorm_with_odd_windows_is_pytorchs(shape, window):
    x = drawn(shape)[0]
    norm = first(lambda x: F.local_response_norm(x, window, alpha=0.8, beta=0.6, k=1.3))
    agree(lambda x: gs.crosschannelnorm(x, window, alpha=0.8, beta=0.6, k=1.3), norm, x)


@pytest.mark.parametrize("window", [2, 4])
def test_even_windows_reach_one_channel_further_back_in_pytorch_and_forward_here(window):
    x = drawn((3, 4, 6))[0]
    norm = first(lambda x: F.local_response_norm(x.flip(1), window, alpha=0.8, beta=0.6, k=1.3).flip(1))
    agree(lambda x: gs.crosschannelnorm(x, window, alpha=0.8, beta=0.6, k=1.3), norm, x)


@of_keras
def test_keras_layers_normalise_as_said_with_their_own_momentum_and_eps(keras):
    x, gamma, beta, mean, var = drawn((3, 4, 5, 6))
    batch = keras.layers.BatchNormalization(dtype="float64")
    batch.build(x.shape)
    batch.set_weights([gamma, beta, mean, var])
    y, new_mean, new_var = gs.batchnorm(x, gamma, beta, mean, var, True, momentum=0.99, eps=1e-3)
    close = lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-6)  # float32 inside Keras
    close(y, keras.ops.convert_to_numpy(batch(torch.tensor(x), training=True)))
    for ours, theirs in zip((new_mean, new_var), batch.get_weights()[2:], strict=True):
        close(ours, theirs)
    y, _, _ = gs.batchnorm(x, gamma, beta, new_mean, new_var, eps=1e-3)
    close(y, keras.ops.convert_to_numpy(batch(torch.tensor(x), training=False)))
    for layer, y in (
        (keras.layers.LayerNormalization(dtype="float64"), gs.layernorm(x, gamma, beta, eps=1e-3)),
        (keras.layers.GroupNormalization(3, dtype="float64"), gs.groupnorm(x, gamma, beta, 3, eps=1e-3)),
    ):
        layer.build(x.shape)
        layer.set_weights([gamma, beta])
        close(y, keras.ops.convert_to_numpy(layer(torch.tensor(x))))


# ---------------------------------------------------------------------------------------------------------- attention
def heads_of(x, heads):
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def sdpa(heads, **options):
    """PyTorch's scaled_dot_product_attention for (N, T, C)."""

    def run(q, k, v):
        y = F.scaled_dot_product_attention(heads_of(q, heads), heads_of(k, heads), heads_of(v, heads), **options)
        return y.transpose(1, 2).flatten(2)

    return run


RNG = np.random.default_rng(1)
SEEN = RNG.integers(0, 2, (3, 4, 7, 7)).astype(bool)
SEEN[..., 0] = True
OPTIONS = {
    "plain": lambda seen: ({}, {}),
    "scale": lambda seen: ({"scale": 0.3}, {"scale": 0.3}),
    "causal": lambda seen: ({"attention_mask": "causal"}, {"is_causal": True}),
    "array": lambda seen: ({"attention_mask": seen}, {"attn_mask": torch.tensor(seen)}),
    "padding": lambda seen: ({"padding_mask": seen[:, 0, 0]}, {"attn_mask": torch.tensor(seen[:, :1, :1])}),
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize(("Tq", "Tk"), [(5, 7), (7, 5), (6, 6)])
def test_attention_is_pytorchs_scaled_dot_product_attention(name, Tq, Tk):
    ours, theirs = OPTIONS[name](SEEN[:, :, :Tq, :Tk])
    rng = np.random.default_rng([Tq, Tk])
    Q, K, V = (rng.normal(size=shape) for shape in ((3, Tq, 8), (3, Tk, 8), (3, Tk, 12)))
    agree(lambda *a: gs.attention(*a, 4, **ours), sdpa(4, **theirs), Q, K, V)


def test_second_derivatives_of_attention_are_pytorchs():
    rng = np.random.default_rng(2)
    Q, K, V = (rng.normal(size=shape) for shape in ((3, 5, 8), (3, 7, 8), (3, 7, 12)))
    g, v = rng.normal(size=(3, 5, 12)), rng.normal(size=Q.shape)
    product = gs.hessian_vector_product(lambda q: np.sum(g * gs.attention(q, K, V, 4)), Q, v)
    t = torch.tensor(Q, requires_grad=True)
    q, k, w = (heads_of(x, 4) for x in (t, torch.tensor(K), torch.tensor(V)))
    y = (torch.softmax(q @ k.mT / 2**0.5, -1) @ w).transpose(1, 2).flatten(2)
    slope = torch.autograd.grad(torch.sum(torch.tensor(g) * y), t, create_graph=True)[0]
    expected = torch.autograd.grad(torch.sum(slope * torch.tensor(v)), t)[0]
    np.testing.assert_allclose(product, expected.numpy(), rtol=1e-9, atol=1e-11)


def test_weights_are_those_of_pytorchs_multihead_attention_without_projections():
    rng = np.random.default_rng(3)
    Q, K, V = (rng.normal(size=shape) for shape in ((3, 5, 8), (3, 7, 8), (3, 7, 8)))
    eye, zero = torch.eye(8, dtype=torch.float64), torch.zeros(24, dtype=torch.float64)
    hidden = np.arange(7) >= np.array([[7], [4], [1]])
    Y, P = F.multi_head_attention_forward(
        *(torch.tensor(x).transpose(0, 1) for x in (Q, K, V)), 8, 4, torch.cat([eye] * 3), zero, None, None, False, 0.0,
        eye, zero[:8], key_padding_mask=torch.tensor(hidden), average_attn_weights=False,
    )  # fmt: skip
    ours, weights = gs.attention(Q, K, V, 4, padding_mask=~hidden, return_weights=True)
    np.testing.assert_allclose(ours, Y.transpose(0, 1).numpy(), rtol=RTOL, atol=ATOL)
    np.testing.assert_allclose(weights, P.numpy(), rtol=RTOL, atol=ATOL)


def written_out(keep, seen, heads, scale):
    """Attention by its equations, (Y, weights): what is not seen counts nothing, `keep` scales the weights."""

    def run(q, k, v):
        scores = scale * heads_of(q, heads) @ heads_of(k, heads).mT
        P = torch.softmax(scores.masked_fill(~torch.tensor(seen), -torch.inf), -1) * torch.tensor(keep)
        return (P @ heads_of(v, heads)).transpose(1, 2).flatten(2), P

    return run


@pytest.mark.parametrize("first", [0, 2])
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_dropped_weights_both_masks_and_what_is_returned_are_those_of_the_equations(rate, first):
    rng = np.random.default_rng([int(10 * rate), first])
    Q, K, V = (rng.normal(size=shape) for shape in ((3, 5, 8), (3, 7, 8), (3, 7, 12)))
    padding = np.arange(7) < np.array([[7], [4], [1]])
    seen = padding[:, None, None] & gs.causal_mask(5, 7, first)
    options = {"attention_mask": "causal", "first": first, "padding_mask": padding, "scale": 0.4}
    attend = lambda rate: (
        lambda *a: gs.attention(*a, 4, **options, dropout=rate, rng=np.random.default_rng(6), return_weights=True)
    )
    whole, kept = attend(0.0)(Q, K, V)[1], attend(rate)(Q, K, V)[1]
    keep = np.where(whole > 0, kept / np.where(whole > 0, whole, 1), 0)  # which ones were drawn, and how scaled
    np.testing.assert_allclose(np.unique(keep.round(12)), [0, 1 / (1 - rate)], rtol=1e-10)
    y, pullback = gs.vjp(attend(rate), Q, K, V)
    tensors = [torch.tensor(x, requires_grad=True) for x in (Q, K, V)]
    expected = written_out(keep, seen, 4, 0.4)(*tensors)
    g = tuple(rng.normal(size=part.shape) for part in y)
    gradients = torch.autograd.grad(expected, tensors, [torch.tensor(part) for part in g])
    for ours, theirs in zip([*y, *pullback(g)], [*expected, *gradients], strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=RTOL, atol=ATOL)


@of_keras
def test_keras_causal_attention_counts_from_the_first_query_as_well(keras):
    rng = np.random.default_rng(4)
    Q, K, V = (rng.normal(size=(3, T, 8)) for T in (5, 7, 7))
    split = lambda x: torch.tensor(x.reshape(*x.shape[:2], 4, 2))
    expected = keras.ops.dot_product_attention(split(Q), split(K), split(V), is_causal=True)
    expected = keras.ops.convert_to_numpy(expected).reshape(Q.shape)
    ours = gs.attention(Q, K, V, 4, attention_mask="causal")
    np.testing.assert_allclose(ours, expected, rtol=2e-6, atol=1e-6)  # float32 inside Keras


# ---------------------------------------------------------------------------------------------------------- the rest
@pytest.mark.parametrize("shape", [(4, 5), (13,), (2, 3, 4)], ids=str)
def test_embed_is_pytorchs_embedding(shape):
    rng = np.random.default_rng(list(shape))
    W, ids = rng.normal(size=(6, 3)), rng.integers(0, 5, shape)
    agree(lambda W: gs.embed(W, ids), lambda W: F.embedding(torch.tensor(ids), W), W)
    zeroed = W * (np.arange(6) != 2)[:, None]  # PyTorch's padding has the vector that the table gives it
    padded = lambda W: F.embedding(torch.tensor(ids), W, padding_idx=2)
    agree(lambda W: gs.embed(W, ids, padding_id=2), padded, zeroed)


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_dropped_and_kept_values_are_pytorchs_though_others_are_drawn(rate):
    x = np.random.default_rng(5).uniform(1, 2, 10_000)
    for ours, theirs in ((gs.dropout, F.dropout), (gs.alpha_dropout, F.alpha_dropout)):
        y, expected = ours(x, rate, np.random.default_rng(6)), theirs(torch.tensor(x), rate, training=True).numpy()
        both = (y > 0.8) & (expected > 0.8)
        np.testing.assert_allclose(y[both], expected[both], rtol=1e-6)
        np.testing.assert_allclose(y[y < 0.8][0], expected[expected < 0.8][0], rtol=1e-6, atol=1e-12)


def test_an_encoder_block_of_layers_is_pytorchs_with_the_weights_transposed():
    rng = np.random.default_rng(7)
    C, hidden, heads = 8, 12, 4
    x, g = rng.normal(size=(3, 5, C)), rng.normal(size=(3, 5, C))
    shapes = {
        "W1": (C, hidden),
        "b1": hidden,
        "W2": (hidden, C),
        "b2": C,
        "gamma1": C,
        "beta1": C,
        "gamma2": C,
        "beta2": C,
    }
    shapes |= {f"W{part}": (C, C) for part in "qkvo"} | {f"b{part}": C for part in "qkvo"}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def block(p):
        attended = gs.layers.multihead_attention(p, x, x, x, heads, attention_mask="causal")
        y = gs.layernorm(x + attended, p["gamma1"], p["beta1"])
        h = gs.gelu(gs.dense(y, p["W1"], p["b1"]))
        return gs.layernorm(y + gs.dense(h, p["W2"], p["b2"]), p["gamma2"], p["beta2"])

    theirs = torch.nn.TransformerEncoderLayer(C, heads, hidden, 0.0, F.gelu, batch_first=True, dtype=torch.float64)
    names = {
        "self_attn.in_proj_weight": np.concatenate([params[f"W{part}"].T for part in "qkv"]),
        "self_attn.in_proj_bias": np.concatenate([params[f"b{part}"] for part in "qkv"]),
        "self_attn.out_proj.weight": params["Wo"].T, "self_attn.out_proj.bias": params["bo"],
        "linear1.weight": params["W1"].T, "linear1.bias": params["b1"],
        "linear2.weight": params["W2"].T, "linear2.bias": params["b2"],
        "norm1.weight": params["gamma1"], "norm1.bias": params["beta1"],
        "norm2.weight": params["gamma2"], "norm2.bias": params["beta2"],
    }  # fmt: skip
    theirs.load_state_dict({name: torch.tensor(value) for name, value in names.items()})
    expected = theirs(torch.tensor(x), src_mask=torch.full((5, 5), -np.inf, dtype=torch.float64).triu(1))
    torch.sum(expected * torch.tensor(g)).backward()
    np.testing.assert_allclose(block(params), expected.detach().numpy(), rtol=RTOL, atol=1e-11)
    grads = gs.grad(lambda p: np.sum(g * block(p)))(params)
    qkv = theirs.self_attn.in_proj_weight.grad.numpy()
    for ours, other in (
        (np.concatenate([grads[f"W{part}"].T for part in "qkv"]), qkv),
        (grads["Wo"].T, theirs.self_attn.out_proj.weight.grad.numpy()),
        (grads["W1"].T, theirs.linear1.weight.grad.numpy()),
        (grads["gamma1"], theirs.norm1.weight.grad.numpy()),
        (grads["beta2"], theirs.norm2.bias.grad.numpy()),
    ):
        np.testing.assert_allclose(ours, other, rtol=1e-9, atol=1e-10)
