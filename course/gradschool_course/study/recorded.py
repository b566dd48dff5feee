"""What was recorded: three runs of the public notebooks of Géron's Hands-On Machine Learning (2nd ed., chapters 10 and
11), of 2021, 2020 and 2019. They tell how far two honest runs of one experiment are apart.

    RECORDED["F1"]["val_acc"]           # (0.8396, 0.8394, 0.8392)

Numbers are of the last epoch unless their name says otherwise; None stands where a run did not print it. They belong to
Fashion-MNIST (F, T, S, R), CIFAR-10 (X) and MNIST (M), and to the split of their notebook.
"""

from __future__ import annotations

__all__ = ["RECORDED"]

Runs = tuple[float | None, ...]

RECORDED: dict[str, dict[str, Runs]] = {
    "F1": {"val_loss": (0.4817, None, None), "val_acc": (0.8396, 0.8394, 0.8392)},
    "F2": {"val_loss": (0.4826, None, None), "val_acc": (0.8398, 0.8378, 0.8372)},
    "F3": {"val_loss": (0.4907, None, None), "val_acc": (0.8218, 0.8312, 0.8358)},
    "F4": {"val_loss": (0.6638, None, None), "val_acc": (0.7380, 0.5702, 0.7032)},
    "F5": {
        "std of layer 0": (1.00,),
        "std of layer 100": (0.96,),
        "std of layer 200": (0.90,),
        "std of layer 300": (0.92,),
        "std of layer 400": (0.89,),
        "std of layer 500": (0.93,),
        "std of layer 600": (0.92,),
        "std of layer 700": (0.90,),
        "std of layer 800": (0.83,),
        "std of layer 900": (1.00,),
    },
    "F6": {
        "first val_acc": (0.8230, None, None),
        "val_loss": (0.3573, None, None),
        "val_acc": (0.8750, 0.8758, 0.8766),
    },
    "F7": {"val_loss": (0.3875, None, None), "val_acc": (0.8660, 0.8732, 0.8734)},
    "F8": {"val_acc": (0.8396, 0.8394, 0.8392)},
    "T1": {"val_loss": (0.2333, None, None), "val_acc": (0.9200, 0.9205, 0.9158)},
    "T2": {
        "val_loss": (0.1431, None, None),
        "val_acc": (0.9716, None, None),
        "test_loss": (0.1408, None, None),
        "test_acc": (0.9705, 0.9695, 0.9705),
    },
    "T3": {
        "val_loss": (0.0652, None, None),
        "val_acc": (0.9878, None, None),
        "test_loss": (0.0562, None, None),
        "test_acc": (0.9940, 0.9925, 0.9925),
        "error of T2 / error": (4.92, 4.07, 3.93),
    },
    "S1": {"val_loss": (0.3225, None, None), "val_acc": (0.8924, 0.8934, 0.8922)},
    "S2": {"val_loss": (0.5699, None, None), "val_acc": (0.8928, 0.8850, 0.8894)},
    "S3": {"val_loss": (0.5833, None, None), "val_acc": (0.8880, 0.8952, 0.8904)},
    "S4": {"val_loss": (0.5533, None, None), "val_acc": (0.8868, 0.8714, 0.8886)},
    "S5": {"val_loss": (0.5241, None, None), "val_acc": (0.8936, 0.8940, 0.8920)},
    "S6": {"val_loss": (0.3164, None, None), "val_acc": (0.8904, 0.8892, 0.8898)},
    "S7": {"val_loss": (0.3170, None, None), "val_acc": (0.8934, 0.8934, 0.8940)},
    "S8": {"acc": (0.3120, None, None)},
    "R1": {"val_loss": (0.6850, None, None), "val_acc": (0.8376, 0.8338, 0.8304)},
    "R2": {"val_loss": (0.6826, None, None), "val_acc": (0.8382, 0.8356, 0.8360)},
    "R3": {"val_loss": (0.3395, None, None), "val_acc": (0.8722, 0.8730, 0.8728)},
    "R4": {
        "val_loss": (0.4388, None, None),
        "val_acc": (0.8760, None, None),
        "test_loss": (0.4723, None, None),
        "test_acc": (0.8639, 0.8648, 0.8680),
        "train_acc afterwards": (0.8840, None, None),
        "acc while training": (0.8421, None, None),
    },
    "R5": {"test_acc": (0.8639, 0.8648, 0.8680), "test_acc of 100 passes": (0.8661, 0.8606, 0.8680)},
    "R6": {"val_loss": (0.3714, None, None), "val_acc": (0.8662, 0.8746, 0.8726)},
    "X-a": {
        "best epoch": (27, None, None),
        "best val_loss": (1.4960, None, None),
        "val_acc there": (0.4762, 0.4736, None),
    },
    "X-c": {
        "best epoch": (29, None, None),
        "best val_loss": (1.3344, None, None),
        "val_acc there": (0.5398, 0.5506, None),
    },
    "X-d": {
        "best epoch": (8, None, None),
        "best val_loss": (1.4633, None, None),
        "val_acc there": (0.4792, None, None),
        "val_acc": (0.5138, 0.5140, None),
    },
    "X-e": {
        "best epoch": (8, None, None),
        "best val_loss": (1.4805, None, None),
        "val_acc there": (0.4890, 0.5082, None),
        "val_acc of 10 passes": (0.4892, 0.5094, None),
    },
    "X-f": {"val_loss": (1.5912, None, None), "val_acc": (0.5198, 0.5276, None), "best val_acc": (0.5224, None, None)},
    "M1": {"rate where the loss shoots up": (0.6, None, None), "rate to choose": (0.3, None, None)},
    "M2": {
        "best epoch": (8, None, None),
        "best val_loss": (0.0718, None, None),
        "val_acc there": (0.9826, None, None),
        "val_acc": (0.9862, None, None),
        "test_loss": (0.0804, None, None),
        "test_acc": (0.9806, None, None),
    },
}
"""For each experiment what was measured, in the runs of 2021, 2020 and 2019."""
