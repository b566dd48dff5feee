"""Activations: functions of one number, applied to every entry, that bend what linear layers cannot.

    y = relu(x)                                         # any shape
    y = gelu(x, approximate="tanh")
    dx = elu_backward(g, cache)                         # g = dL/dy, of the same shape

Whole numbers are promoted to float64; float32 stays float32; no input is changed; nothing overflows at 1000. At a kink
the derivative is that of the left side: 0 for relu at 0.
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op
from .place import in_blocks, into, number

# Klambauer et al. (2017), to the digits of float64: with these, mean 0 and variance 1 reproduce themselves
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
SQRT_2_OVER_PI = 0.7978845608028654

# (1 + 2x) exp(x^2) erfc(x) as a polynomial in (x - 2) / (x + 2): Chebyshev coefficients of degree 24, computed with
# 50 digits for this library; the relative error is that of float64
ERFC = (
    -1.4276847782986204e-08, -2.4630020041347383e-08, 9.110270309406622e-08, 2.3191445148773556e-07,
    -1.283145001602249e-07, -9.42043006762512e-07, -8.486280593803529e-07, 1.5863413025348713e-06,
    5.3380619799498e-06, 3.666977126641099e-06, -1.3550461660621755e-05, -3.640725735279041e-05,
    -1.4901062178327189e-06, 0.00015103514399068322, 0.00020636268647766627, -0.0004543401657863993,
    -0.0014568132813392836, 0.0012713388980090158, 0.008722653817412258, -0.008034015078553464,
    -0.05422000098938379, 0.16405128003334057, -0.16603039761533683, -0.09276382658574522,
    1.2769783815525289,
)  # fmt: skip


# -------------------------------------------------------------------------------------------------- relatives of relu
def relu_forward(x):
    """y = max(x, 0)"""
    x = floats(x)
    return np.maximum(x, np.zeros_like(x)), {"x": x}  # NumPy is faster with an array of zeros than with a 0


def relu_backward(g, cache):
    """dL/dx = g where x > 0, else 0"""
    passed = (cache["x"] > 0).astype(g.dtype)
    return into(passed, np.multiply, passed, g)


def relu_in_place(x):
    """The forward in the memory of x; y is larger than 0 where x was"""
    zeros = np.zeros(x.shape[1:] if x.ndim > 2 else x.shape, x.dtype)  # for many images, one is enough
    y = np.maximum(x, zeros, out=x)
    return y, {"x": y}


@op(relu_forward, relu_backward, in_place=(relu_in_place, relu_backward))
def relu(x):
    """Rectifier: y = max(x, 0), dy/dx = 1 where x > 0, else 0 (also at 0). `relu_backward`'s cache has `x`.

    Raises TypeError for what is no array, such as a list. Source: Nair and Hinton 2010.

    >>> print(relu(np.array([-1.0, 0.0, 2.0])))
    [0. 0. 2.]
    """
    return relu_forward(x)[0]


def leaky_relu_forward(x, alpha=0.01):
    """y = x where x > 0, else alpha x"""
    x = floats(x)
    return np.where(x > 0, x, alpha * x), {"x": x, "alpha": alpha}


def leaky_relu_backward(g, cache):
    """dL/dx = g where x > 0, else alpha g"""
    return np.where(cache["x"] > 0, g, cache["alpha"] * g)


@op(leaky_relu_forward, leaky_relu_backward)
def leaky_relu(x, alpha=0.01):
    """Leaky rectifier: y = x where x > 0, else alpha x; dy/dx = 1 or alpha (alpha at 0). Cache: `x`, `alpha`.

    Raises TypeError for what is no array, such as a list, and for a derivative by alpha.
    Frameworks: 0.01 is the default of MATLAB's and PyTorch's function; Keras' layer has 0.3.
    Source: Maas, Hannun and Ng 2013.

    >>> print(leaky_relu(np.array([-1.0, 0.0, 2.0]), alpha=0.2))
    [-0.2  0.   2. ]
    """
    return leaky_relu_forward(x, alpha)[0]


def elu_forward(x, alpha=1.0):
    """y = x where x > 0, else alpha (exp(x) - 1)"""
    x = floats(x)
    zeros = np.zeros_like(x)  # of the two terms one is zero, so that nothing needs choosing, which would be slower
    y = np.maximum(x, zeros) + alpha * np.expm1(np.minimum(x, zeros))
    return y, {"x": x, "y": y, "alpha": alpha}


def elu_backward(g, cache):
    """dL/dx = g where x > 0, else g (y + alpha), which is g alpha exp(x)"""
    x, y, alpha = cache["x"], cache["y"], cache["alpha"]
    if alpha == 1:
        return g * (np.minimum(y, np.zeros_like(y)) + 1)
    return g * np.where(x > 0, 1, y + alpha)


def elu_in_place(x):
    """y = max(x, e - 1) in the memory of x, with e = exp(min(x, 0)), which is dy/dx: 1 where x > 0"""
    bent = np.zeros(x.shape, x.dtype)
    e = np.minimum(x, bent)
    np.exp(e, out=e)
    np.subtract(e, number(1, x.dtype), out=bent)
    return np.maximum(x, bent, out=x), {"e": e}  # exp(x) - 1 >= x: the larger one is right on both sides of 0


def elu_in_place_backward(g, cache):
    """dL/dx = g e"""
    return g * cache["e"]


@op(elu_forward, elu_backward, in_place=(elu_in_place, elu_in_place_backward))
def elu(x, alpha=1.0):
    """Exponential linear unit: y = x where x > 0, else alpha (exp(x) - 1).

        dy/dx = 1 where x > 0, else alpha exp(x) = y + alpha

    `elu_backward`'s cache has `x`, `y` and `alpha`.

    Raises TypeError for what is no array, such as a list, and for a derivative by alpha.
    Source: Clevert, Unterthiner and Hochreiter 2016.

    >>> print(elu(np.array([-1.0, 0.0, 2.0])).round(4))
    [-0.6321  0.      2.    ]
    """
    return elu_forward(x, alpha)[0]


def selu_forward(x):
    """y = scale x where x > 0, else scale alpha (exp(x) - 1)"""
    x = floats(x)
    zeros = np.zeros_like(x)
    # Each term has one factor, as a thousand layers show the rounding: the recorded table comes out to its last digit
    # so, and not with scale before the sum. expm1 costs more than exp(x) - 1, but keeps all digits of a small x.
    y = SELU_SCALE * np.maximum(x, zeros) + SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(x, zeros))
    return y, {"x": x, "y": y}


def selu_backward(g, cache):
    """dL/dx = g scale where x > 0, else g (y + scale alpha)"""
    return g * np.where(cache["x"] > 0, SELU_SCALE, cache["y"] + SELU_SCALE * SELU_ALPHA)


def selu_of_elu(x):
    return SELU_SCALE * elu(x, SELU_ALPHA)


@op(selu_forward, selu_backward, parts=("elu",), composed=selu_of_elu)
def selu(x):
    """Self-normalizing unit: 1.0507... elu(x, alpha=1.6732...), which keeps mean 0 and variance 1 through deep stacks.

        dy/dx = scale where x > 0, else y + scale alpha

    `selu_backward`'s cache has `x` and `y`. Raises TypeError for what is no array, such as a list.
    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017.

    >>> print(selu(np.array([-1.0, 0.0, 2.0])).round(4))
    [-1.1113  0.      2.1014]
    """
    return selu_forward(x)[0]


# ------------------------------------------------------------------------------------------------------- smooth steps
def sigmoid_forward(x):
    """y = 1 / (1 + exp(-x))"""
    x = floats(x)
    e = np.exp(np.where(x > 0, -x, x))  # at most 1, so that nothing overflows
    y = np.where(x > 0, 1, e) / (1 + e)
    return y, {"y": y}


def sigmoid_backward(g, cache):
    """dL/dx = g y (1 - y)"""
    return g * cache["y"] * (1 - cache["y"])


@op(sigmoid_forward, sigmoid_backward)
def sigmoid(x):
    """Score to probability: y = 1 / (1 + exp(-x)), dy/dx = y (1 - y). `sigmoid_backward`'s cache has `y`.

    Raises TypeError for what is no array, such as a list.

    >>> print(sigmoid(np.array([-1000.0, 0.0, 2.0])).round(4))
    [0.     0.5    0.8808]
    """
    return sigmoid_forward(x)[0]


def tanh_forward(x):
    """y = tanh(x)"""
    y = np.tanh(floats(x))
    return y, {"y": y}


def tanh_backward(g, cache):
    """dL/dx = g (1 - y^2)"""
    return g * (1 - cache["y"] ** 2)


@op(tanh_forward, tanh_backward)
def tanh(x):
    """Hyperbolic tangent: y = 2 sigmoid(2x) - 1, dy/dx = 1 - y^2. `tanh_backward`'s cache has `y`.

    Raises TypeError for what is no array, such as a list.

    >>> print(tanh(np.array([-1.0, 0.0, 2.0])).round(4))
    [-0.7616  0.      0.964 ]
    """
    return tanh_forward(x)[0]


def softplus_forward(x):
    """y = log(1 + exp(x))"""
    x = floats(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), {"x": x}


def softplus_backward(g, cache):
    """dL/dx = g sigmoid(x)"""
    return g * sigmoid(cache["x"])


@op(softplus_forward, softplus_backward)
def softplus(x):
    """A relu without the kink: y = log(1 + exp(x)), dy/dx = sigmoid(x). `softplus_backward`'s cache has `x`.

    Raises TypeError for what is no array, such as a list. Source: Dugas et al. 2001.

    >>> print(softplus(np.array([-1000.0, 0.0, 1000.0])).round(4))
    [0.000e+00 6.931e-01 1.000e+03]
    """
    return softplus_forward(x)[0]


# ---------------------------------------------------------------------------------------------- x times a smooth step
def swish_forward(x):
    """y = x sigmoid(x)"""
    x = floats(x)
    s = sigmoid(x)
    return x * s, {"x": x, "s": s}


def swish_backward(g, cache):
    """dL/dx = g (s + x s (1 - s)), with s = sigmoid(x)"""
    x, s = cache["x"], cache["s"]
    return g * (s + x * s * (1 - s))


def swish_of_sigmoid(x):
    return x * sigmoid(x)


@op(swish_forward, swish_backward, parts=("sigmoid",), composed=swish_of_sigmoid)
def swish(x):
    """Swish, also called SiLU: y = x s with s = sigmoid(x), dy/dx = s + x s (1 - s). Cache: `x`, `s`.

    Raises TypeError for what is no array, such as a list.
    Source: Ramachandran, Zoph and Le 2017; PyTorch's `SiLU`.

    >>> print(swish(np.array([-1.0, 0.0, 2.0])).round(4))
    [-0.2689  0.      1.7616]
    """
    return swish_forward(x)[0]


def erf_of(x):
    """sign(x) (1 - p exp(-a^2) / (1 + 2a)) with a = |x| and p, the polynomial `ERFC`, for (1 + 2a) exp(a^2) erfc(a)"""
    a = np.minimum(np.abs(x), 30)  # beyond that float64 knows no difference from 1
    s = (a - 2) / (a + 2)
    p = ERFC[0] * s + ERFC[1]
    for c in ERFC[2:]:
        p = into(p, np.multiply, p, s)
        p = into(p, np.add, p, c)
    return np.sign(x) * (1 - p * np.exp(-a * a) / (1 + 2 * a))


def erf_forward(x):
    """y = 2 / sqrt(pi) times the integral of exp(-u^2) from 0 to x"""
    x = floats(x)
    return in_blocks(erf_of, x), {"x": x}


def erf_backward(g, cache):
    """dL/dx = g 2 / sqrt(pi) exp(-x^2)"""
    return g * (SQRT_2_OVER_PI * 2**0.5) * np.exp(-(cache["x"] ** 2))


@op(erf_forward, erf_backward)
def erf(x):
    """Error function, the share of a normal distribution within x sqrt(2) standard deviations; to 2e-16.

    `erf_backward`'s cache has `x`. NumPy has no such function.

    >>> print(erf(np.array([-1.0, 0.0, 2.0])).round(7))
    [-0.8427008  0.         0.9953223]
    """
    return erf_forward(x)[0]


def tanh_step(x):
    """1/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))"""
    u = x * x  # every step into the same memory: this is the largest array of a transformer
    u = into(u, np.multiply, u, 0.044715 * SQRT_2_OVER_PI)
    u = into(u, np.add, u, SQRT_2_OVER_PI)
    u = into(u, np.multiply, u, x)
    u = into(u, np.tanh, u)
    u = into(u, np.multiply, u, 0.5)
    return into(u, np.add, u, 0.5)


def tanh_slope(x, step):
    """The derivative of tanh_step: 2 step (1 - step) sqrt(2/pi) (1 + 3 * 0.044715 x^2)"""
    u = x * x
    u = into(u, np.multiply, u, 6 * 0.044715 * SQRT_2_OVER_PI)
    u = into(u, np.add, u, 2 * SQRT_2_OVER_PI)
    u = into(u, np.multiply, u, step)
    return into(u, np.multiply, u, 1 - step)


def gelu_forward(x, approximate="none"):
    """y = x cdf(x), cdf(x) = 1/2 (1 + erf(x / sqrt 2)), or about 1/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))"""
    x = floats(x)
    if approximate == "none":
        step = 0.5 * (1 + erf(x * 0.5**0.5))
    elif approximate == "tanh":
        step = in_blocks(tanh_step, x)
    else:
        raise ValueError(f'gelu: expected approximate="none" or "tanh", got {approximate!r}.')
    return x * step, {"x": x, "step": step, "approximate": approximate}


def gelu_backward(g, cache):
    """dL/dx = g (step + x dstep/dx)"""

    def sloped(g, x, step):
        if cache["approximate"] == "none":
            slope = 0.5 * SQRT_2_OVER_PI * np.exp(-0.5 * x * x)  # the density of the normal distribution
        else:
            slope = tanh_slope(x, step)
        slope = into(slope, np.multiply, slope, x)
        slope = into(slope, np.add, slope, step)
        return into(slope, np.multiply, slope, g)

    return in_blocks(sloped, g, cache["x"], cache["step"])


@op(gelu_forward, gelu_backward)
def gelu(x, approximate="none"):
    """Gaussian error linear unit: y = x times the probability that a standard normal number is below x.

        none    y = x/2 (1 + erf(x / sqrt 2))                                dy/dx = cdf(x) + x density(x)
        tanh    y = x/2 (1 + tanh(u)),  u = sqrt(2/pi) (x + 0.044715 x^3)    dy/dx = y/x + x/2 (1 - tanh(u)^2) du/dx

    The two are at most 4.73e-4 apart, near |x| = 2.70. `gelu_backward`'s cache has `x`, `step` (which is y / x) and
    `approximate`.

    Raises:
        ValueError: an unknown `approximate`.

    Frameworks: "none" is the default of MATLAB, PyTorch and Keras, "tanh" that of JAX.
    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.

    >>> print(gelu(np.array([-1.0, 0.0, 1.0])).round(7))
    [-0.1586553  0.         0.8413447]
    """
    return gelu_forward(x, approximate)[0]
