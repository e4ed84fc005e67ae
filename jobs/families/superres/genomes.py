"""Networks written as a line, which evolution changes: `64k9 32k1 out5`. Pure.

Genes are convolutions, one after the other: so many channels and kernels of that side, then ReLU;
`e` at the end is ELU instead. `mean32k1,3,5` is the mean of three kernels, and so are `add`,
`product` and `max`. `64k3*4` stands four times. The last gene, `out5`, makes the picture.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from jobs.families.trees import Branches, Conv, Merging, Part, Parts
from jobs.settings.choices import Activation
from jobs.settings.words import quoted

MERGINGS: dict[str, Merging] = {"add": "sum", "mean": "mean", "product": "product", "max": "max"}
MOST_GENES = 90
MOST_FILTERS, MOST_KERNEL, MOST_TIMES = 256, 15, 16

_GENE = re.compile(
    r"(?:(add|mean|product|max))?(\d{1,3})k(\d{1,2}(?:,\d{1,2})*)(e)?(?:\*(\d{1,2}))?"
)
_OUT = re.compile(r"out(\d{1,2})")


@dataclass(frozen=True)
class Gene:
    """Convolutions of the same input, merged where there are several; `times` such in a row."""

    filters: int
    kernels: tuple[int, ...]
    merging: str = ""
    is_elu: bool = False
    times: int = 1

    def __str__(self) -> str:
        kernels = ",".join(map(str, self.kernels))
        times = f"*{self.times}" if self.times > 1 else ""
        return f"{self.merging}{self.filters}k{kernels}{'e' * self.is_elu}{times}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """ValueError where it is none: one clause for a person."""
        match = _GENE.fullmatch(text)
        if not match:
            raise ValueError(f"{quoted(text)} is no gene such as 64k9, 64k3*4 or mean32k1,3,5")
        merging, filters, kernels, elu, times = match.groups()
        gene = cls(
            int(filters),
            tuple(map(int, kernels.split(","))),
            merging or "",
            bool(elu),
            int(times or 1),
        )
        if len(gene.kernels) > 1 and not gene.merging:
            raise ValueError(
                f"{quoted(text)}: several kernels are merged by one of {', '.join(MERGINGS)}, "
                "which stands before them"
            )
        if gene.merging and len(gene.kernels) == 1:
            raise ValueError(f"{quoted(text)}: {gene.merging} is of several kernels, as 1,3,5")
        if not 1 <= gene.filters <= MOST_FILTERS or not 1 <= gene.times <= MOST_TIMES:
            raise ValueError(
                f"{quoted(text)}: from 1 to {MOST_FILTERS} channels, from 1 to {MOST_TIMES} times"
            )
        _check_kernels(text, gene.kernels)
        return gene

    @property
    def parts(self) -> Parts:
        activation = Activation("elu" if self.is_elu else "relu")
        each = tuple((Conv(self.filters, kernel, activation),) for kernel in self.kernels)
        one: Part = Branches(each, MERGINGS[self.merging]) if self.merging else each[0][0]
        return (one,) * self.times


@dataclass(frozen=True)
class Genome:
    """Genes, and the side of the last kernel."""

    genes: tuple[Gene, ...]
    out: int

    def __str__(self) -> str:
        return " ".join([*map(str, self.genes), f"out{self.out}"])

    @classmethod
    def parse(cls, text: str) -> Self:
        """ValueError where it is none: one clause for a person."""
        if not text.strip():
            raise ValueError("is empty, and net genome needs one, such as 64k9 32k1 out5")
        *words, last = text.split()
        match = _OUT.fullmatch(last)
        if not match:
            raise ValueError(f"ends with {quoted(last)}, and must end with out5, say")
        _check_kernels(last, [int(match[1])])
        if not 1 <= len(words) < MOST_GENES:
            raise ValueError(
                f"is of {len(words) + 1}, and from 2 to {MOST_GENES} genes are possible"
            )
        return cls(tuple(map(Gene.parse, words)), int(match[1]))

    def parts(self, colours: int) -> Parts:
        """For pictures that are scaled up already."""
        inner = [part for gene in self.genes for part in gene.parts]
        return (*inner, Conv(colours, self.out))


def _check_kernels(text: str, kernels: Sequence[int]) -> None:
    if any(kernel % 2 == 0 or kernel > MOST_KERNEL for kernel in kernels):
        raise ValueError(f"{quoted(text)}: kernels have odd sides, at most {MOST_KERNEL}")
