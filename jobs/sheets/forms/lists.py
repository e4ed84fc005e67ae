"""Lists with more entries than a job has layers for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from jobs.families.table import family_of
from jobs.settings.parsing import ENTRIES_FOR
from jobs.settings.spec import JobSpec
from jobs.settings.words import entries_of
from jobs.sheets.forms.nested import FORMS


def too_long(
    cells: Mapping[str, str], spec: JobSpec, wrong: Collection[str] = ()
) -> dict[str, str]:
    """One reason for each column of `cells` whose entries outnumber the layers that they are for.

    `wrong` columns hold stand-ins in the `spec`: nothing is judged by them.
    """
    if "family" in wrong:
        return {}
    reasons, without = {}, family_of(spec).without
    for column, text in cells.items():
        if column not in ENTRIES_FOR or column in without:
            continue
        networks = column[-1] if column in FORMS else "gd"  # of both, as long as the deeper needs
        counts = {f"nbr_of_layers_{network}" for network in networks}
        if not counts.isdisjoint(wrong):
            continue
        entries, layers = len(entries_of(text)), max(getattr(spec, count) for count in counts) - 1
        if entries > layers:
            those = f"{ENTRIES_FOR[column]}s" if layers > 1 else ENTRIES_FOR[column]
            reasons[column] = f"has {entries} entries for {layers} {those}"
    return reasons
