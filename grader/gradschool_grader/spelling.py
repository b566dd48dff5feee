r"""Words that others chose, as they may stand in a line for people: a file's name, a line of code, a claimed name.

    spelt("my work (1).ipynb")         # the same
    spelt("a\x1b[2J\u202eb\udcff")     # a\x1b[2J\u202eb\udcff, letter by letter: no cursor moves, nothing turns round

What is no text at all, as half of a pair or a byte of another encoding, could not be written into a page either.
"""

from __future__ import annotations

__all__ = ["spelt"]


def spelt(words: str) -> str:
    return words if words.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)
