"""Floating-point operations of a training step, counted from the shapes of the layers. Pure.

Counted are the matrix products that convolutions and dense layers are made of: a multiplication and
an addition for each weight that a value meets, taps beyond the edge included, as profilers count.
Normalisation, activations, Adam and the drawing of random numbers come on top and are not counted.
"""

from __future__ import annotations

from jobs.families.table import COLUMNS_OF_STEPS, family_of
from jobs.workspace.jobfile import JobFile
from jobs.workspace.remembered import remembered


@remembered(COLUMNS_OF_STEPS)
def of_step(job: JobFile) -> int:
    """Operations of one step; 0 for a family that trains nothing."""
    return family_of(job.spec).operations(job.spec, job.image_width, job.image_height)
