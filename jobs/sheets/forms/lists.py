"""Lists with more entries than a job has layers for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from jobs.families.table import family_of
from jobs.settings.spec import JobSpec
from jobs.settings.words import entries_of
from jobs.sheets.forms.nested import CONVOLUTION, FORMS, LAYER

_OF_BOTH = ("k_w", "k_h")  # of both networks: as long as the deeper one needs


def too_long(
    cells: Mapping[str, str], spec: JobSpec, wrong: Collection[str] = ()
) -> dict[str, str]:
    """One reason for each column of `cells` whose entries outnumber the layers that they are for.

    `wrong` columns hold stand-ins in the `spec`: nothing is judged by them.
    """
    if "family" in wrong or not family_of(spec).trains:
        return {}
    reasons = {}
    for column, text in cells.items():
        networks, is_of_convolutions = _meant(column)
        counts = {f"nbr_of_layers_{network}" for network in networks}
        if not counts or not counts.isdisjoint(wrong):
            continue
        entries, layers = len(entries_of(text)), max(getattr(spec, each) for each in counts) - 1
        if entries > layers:
            what = "convolution" if is_of_convolutions else "hidden layer"
            reasons[column] = (
                f"has {entries} entries for {layers} {what}{'s' if layers > 1 else ''}"
            )
    return reasons


def _meant(column: str) -> tuple[str, bool]:
    """The networks whose layers have an entry each, and whether only their convolutions do."""
    if column in _OF_BOTH:
        return "gd", True
    key = FORMS.get(column, "").partition(".")[2]
    return (column[-1], key in CONVOLUTION) if key in LAYER else ("", False)
