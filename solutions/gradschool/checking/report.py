"""What a check has found: for each property that it is right, or in one sentence what is wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerReport:
    """The properties of a layer by name, each with its problem, or an empty text if there is none.

    It is true if all is right, and prints as a list.

    >>> report = LayerReport("mine, samples (3,)", {"shapes": "", "pickling": "it does not pickle"})
    >>> report, bool(report), report.problems
    (mine, samples (3,)
      right  shapes
      wrong  pickling: it does not pickle, False, ['pickling: it does not pickle'])
    """

    layer: str
    found: dict[str, str]

    @property
    def problems(self) -> list[str]:
        return [f"{name}: {problem}" for name, problem in self.found.items() if problem]

    def __bool__(self) -> bool:
        return not self.problems

    def __repr__(self) -> str:
        lines = [
            f"  wrong  {name}: {problem}" if problem else f"  right  {name}" for name, problem in self.found.items()
        ]
        return "\n".join([self.layer, *lines])
