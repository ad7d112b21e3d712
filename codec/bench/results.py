"""All that a benchmark found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ... import __version__
from .curves import Curve, common_items
from .deltas import Delta
from .page import Trouble
from .plan import Plan, Row


@dataclass(frozen=True, slots=True)
class Results:
    """All that a run found; why some files cannot be read and some codecs are missing, by name."""

    dataset: str
    command: str
    plan: Plan
    rows: Sequence[Row]
    curves: Sequence[Curve]
    deltas: Sequence[Delta]
    unreadable: Mapping[str, str]
    missing: Mapping[str, str]
    item_curves: Mapping[str, Sequence[Curve]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """One line on what was measured, for people."""
        counted, asked = len(common_items(self.rows)), len(self.plan.items) + len(self.unreadable)
        of_all = self.plan.medium.kind.counted(asked)
        items = of_all if counted == asked else f"{counted} of {of_all}"
        return (
            f"{self.dataset}: means over {items}; whole files with their headers, decoded by other "
            f"processes than those that encoded, each on one thread. Linnet {__version__}."
        )

    @property
    def errors(self) -> list[Trouble]:
        """Everything that failed."""
        files = [Trouble(name, why) for name, why in self.unreadable.items()]
        codecs = [Trouble(spec, why) for spec, why in self.missing.items()]
        rows = [Trouble(row.where, row.error) for row in self.rows if row.error]
        return [*files, *codecs, *rows]
