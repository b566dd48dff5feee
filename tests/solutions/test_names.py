"""Property: a name that is not there is told where it is, or what it is called here."""

import pytest

import gradschool as gs
from gradschool import names


@pytest.mark.parametrize(("module", "name", "advice"), [
    (gs, "Dense", "; try gs.layers.dense"),
    (gs, "Relu", "; try gs.relu"),
    (gs, "BatchNorm2d", "; try gs.layers.batchnorm"),
    (gs, "mse_loss", "; try gs.half_mse, gs.l2_loss"),
    (gs, "clip_grad_norm_", "; try gs.clip_by_global_norm"),
    (gs, "one_cycle", "; try gs.schedules.one_cycle"),
    (gs, "NetClassifier", "; try gs.search.NetClassifier"),
    (gs, "softmaxx", "; try gs.softmax"),
    (gs, "nothing_like_it", ""),
    (gs.layers, "relu", "; try gs.relu"),
    (gs.layers, "mlp", "; try gs.mlp"),
    (gs.layers, "embed", "; try gs.layers.embedding"),
    (gs.layers, "positional_encoding", "; try gs.layers.positions"),
    (gs.layers, "LSTM", "; try gs.layers.lstm"),
])  # fmt: skip
def test_it_is_told_where_a_name_is(module, name, advice):
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    assert str(caught.value) == f"{module.__name__} has no {name}{advice}"
    assert not hasattr(module, name)


def test_what_is_advised_is_there():
    for meant in names.ELSEWHERE.values():
        for full in meant.split(", "):
            if full.startswith("gs."):
                place = gs
                for part in full.split(" ")[0].split(".")[1:]:
                    place = getattr(place, part)
