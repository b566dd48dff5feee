"""Data for the chapters: seeded generators, real sets that scikit-learn carries, and images that are downloaded.

    from gradschool_data import digits, moons, mnist

    data = digits(seed=0)                       # a Split: train, valid, test, each a pair X, y
    X, y = moons(200, np.random.default_rng(0))
    data = mnist()                              # downloads once, or reads the folder named by GRADSCHOOL_DATA

Nothing is downloaded on import, and no exercise or test needs a download.
"""

from .generated import blobs as blobs
from .generated import housing as housing
from .generated import line_with_outliers as line_with_outliers
from .generated import moons as moons
from .generated import spirals as spirals
from .generated import xor as xor
from .glyphs import glyphs as glyphs
from .images import DataError as DataError
from .images import cifar10 as cifar10
from .images import fashion_mnist as fashion_mnist
from .images import mnist as mnist
from .real import breast_cancer as breast_cancer
from .real import diabetes as diabetes
from .real import digits as digits
from .real import iris as iris
from .real import wine as wine
from .splits import Split as Split
from .splits import split as split
from .splits import standardized as standardized
