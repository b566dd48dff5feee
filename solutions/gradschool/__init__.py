"""gradschool: deep learning from scratch in NumPy, as small and exact as it can be read."""

__version__ = "0.1.0"
