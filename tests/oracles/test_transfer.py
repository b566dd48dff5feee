"""What chapter 9 says of PyTorch and Keras is so: what a frozen layer does there, and what a copy of a model shares."""

import os

import numpy as np
import pytest

from gradschool.lessons.transfer import forward, step_trainable

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def layer(D=3, C=4, trainable=False):
    """A dense layer without bias and a normalisation in the midst of training, in float32."""
    rng = np.random.default_rng(0)
    drawn = {"W": rng.normal(size=(D, C)), "gamma": rng.uniform(0.5, 2, C), "beta": rng.normal(size=C),
             "mean": rng.normal(size=C), "var": rng.uniform(0.5, 2, C)}  # fmt: skip
    return {k: v.astype(np.float32) for k, v in drawn.items()} | {"activation": "linear", "trainable": trainable}


X = np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32)


def test_in_pytorch_the_statistics_of_frozen_parameters_follow():
    ours = layer()
    norm = torch.nn.BatchNorm1d(4, eps=1e-5, momentum=0.1)
    norm.load_state_dict({"weight": torch.tensor(ours["gamma"]), "bias": torch.tensor(ours["beta"]),
                          "running_mean": torch.tensor(ours["mean"]), "running_var": torch.tensor(ours["var"]),
                          "num_batches_tracked": torch.tensor(0)})  # fmt: skip
    norm.requires_grad_(False).train()
    theirs = norm(torch.tensor(X @ ours["W"])).numpy()
    Y, new = forward([ours], X, training=True, hold=False, momentum=0.9)
    np.testing.assert_allclose(Y, theirs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(new[0]["mean"], norm.running_mean.numpy(), rtol=1e-4, atol=1e-6)
    norm.eval()
    held, _ = forward([ours | {k: new[0][k] for k in ("mean",)} | {"var": norm.running_var.numpy()}], X, training=True)
    np.testing.assert_allclose(held, norm(torch.tensor(X @ ours["W"])).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("trainable", [False, True])
def test_in_keras_the_statistics_of_a_frozen_layer_are_held(trainable):
    ours = layer(trainable=trainable)
    norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    norm.build((None, 4))
    norm.set_weights([ours[name] for name in ("gamma", "beta", "mean", "var")])
    norm.trainable = trainable
    theirs = keras.ops.convert_to_numpy(norm(X @ ours["W"], training=True))
    Y, new = forward([ours], X, training=True, hold=True, momentum=0.9)
    np.testing.assert_allclose(Y, theirs, rtol=1e-4, atol=1e-5)
    mean, var = norm.get_weights()[2:]
    np.testing.assert_allclose(new[0]["mean"], mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(new[0]["var"], var, rtol=1e-4, atol=1e-6)
    assert np.array_equal(mean, ours["mean"]) == (not trainable)


def test_in_pytorch_a_gradient_of_zero_still_rolls_and_decays_and_none_does_not():
    start, g = np.array([[1.0, -2.0]]), np.array([[0.5, 0.25]])
    p = torch.nn.Parameter(torch.tensor(start))
    sgd = torch.optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.01)
    model, slots = [{"W": start, "trainable": True}], None
    for gradient in (g, 0 * g):
        p.grad = torch.tensor(gradient)
        sgd.step()
        model, slots = step_trainable(model, [{"W": gradient}], slots, 0.1, 0.9, 0.01)
        np.testing.assert_allclose(model[0]["W"], p.detach().numpy(), rtol=1e-12)
    before = p.detach().numpy().copy()
    p.grad = None
    sgd.step()
    np.testing.assert_array_equal(p.detach().numpy(), before)
    frozen, _ = step_trainable([model[0] | {"trainable": False}], [{"W": g}], slots, 0.1, 0.9, 0.01)
    np.testing.assert_array_equal(frozen[0]["W"], model[0]["W"])


def test_in_keras_a_clone_has_new_weights_and_a_model_of_old_layers_shares_them():
    old = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    assert not np.allclose(keras.models.clone_model(old).get_weights()[0], old.get_weights()[0])
    new = keras.Sequential([keras.Input((3,)), *old.layers[:-1], keras.layers.Dense(1)])
    new.layers[0].set_weights([np.ones((3, 4)), np.ones(4)])
    np.testing.assert_array_equal(old.get_weights()[0], np.ones((3, 4)))
