"""Networks that are bred: genomes of super-resolution, drawn, changed and chosen. Pure.

What may become of a genome, and how often, is that of a toolkit for the restoration of old films
that this family succeeds: among twelve changes, four are of a gene, and four put one in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from random import Random

from jobs.families.superres.genomes import MERGINGS, MOST_GENES, Gene, Genome
from jobs.families.superres.layers import generator
from jobs.settings.spec import JobSpec

FILTERS = (32, 64)
KERNELS = (3, 5, 7, 9)
MERGED = (1, *KERNELS)  # what two or three are drawn of
TIMES = (1, 2, 4, 8)
OUT = (1, 3, 5, 7, 9)
ODDS = {"point": 4, "insert": 4, "delete": 1, "invert": 1, "transpose": 1, "conjugate": 1}
SHARE_MERGED, SHARE_ELU, SHARE_REPEATED = 0.25, 0.3, 0.25
FIRST_GENES = (1, 4)  # of those that are drawn from nothing
MOST_DRAWS = 1000  # for one that is new and small enough


def random_genome(random: Random) -> Genome:
    """A short one."""
    genes = tuple(random_gene(random) for _ in range(random.randint(*FIRST_GENES)))
    return Genome(genes, random.choice(OUT))


def random_gene(random: Random) -> Gene:
    """A convolution, or two or three that are merged."""
    is_elu = random.random() < SHARE_ELU
    times = random.choice(TIMES[1:]) if random.random() < SHARE_REPEATED else 1
    filters = random.choice(FILTERS)
    if random.random() < SHARE_MERGED:
        kernels = tuple(sorted(random.sample(MERGED, random.randint(2, 3))))
        return Gene(filters, kernels, random.choice(list(MERGINGS)), is_elu, times)
    return Gene(filters, (random.choice(KERNELS),), "", is_elu, times)


def child(parents: Sequence[Genome], random: Random) -> Genome:
    """One of the parents, changed once; perhaps by the genes of another one."""
    parent = random.choice(parents)
    change = random.choices(list(ODDS), list(ODDS.values()))[0]
    genes, place = list(parent.genes), random.randrange(len(parent.genes))
    match change:
        case "point":
            return _with_another_point(parent, random)
        case "insert":
            genes.insert(random.randint(0, len(genes)), random_gene(random))
        case "delete" if len(genes) > 1:
            del genes[place]
        case "invert":
            end = random.randint(place, len(genes))
            genes[place:end] = reversed(genes[place:end])
        case "transpose":
            genes.insert(random.randrange(len(genes)), genes.pop(place))
        case "conjugate":
            other = random.choice(parents)
            genes = genes[: place + 1] + list(other.genes[random.randrange(len(other.genes)) :])
    return Genome(tuple(genes[: MOST_GENES - 1]), parent.out)


def _with_another_point(genome: Genome, random: Random) -> Genome:
    """One property of one gene, or the last kernel, is another."""
    place = random.randint(0, len(genome.genes))
    if place == len(genome.genes):
        return replace(genome, out=random.choice([each for each in OUT if each != genome.out]))
    gene, other = genome.genes[place], random_gene(random)
    what = random.choice(("filters", "kernels", "is_elu", "times"))
    if what == "kernels":
        changed = replace(gene, kernels=other.kernels, merging=other.merging)
    elif what == "is_elu":
        changed = replace(gene, is_elu=not gene.is_elu)
    elif what == "times":
        changed = replace(gene, times=random.choice(TIMES))
    else:
        changed = replace(gene, filters=other.filters)
    return replace(genome, genes=(*genome.genes[:place], changed, *genome.genes[place + 1 :]))


@dataclass(frozen=True)
class Breeding:
    """How many live at once, of jobs like the `template`, and how large they may be.

    - title: what they are called after.
    - most_parameters: weights of one at most; None: any number.
    - seed: the same one makes the same children of the same parents.
    """

    template: JobSpec
    title: str
    population: int
    survivors: int
    seed: int
    most_parameters: int | None = None

    def generation(
        self, number: int, parents: Sequence[Genome], seen: Collection[str]
    ) -> list[Genome]:
        """Generation `number`, from 1: children of the `parents`, or, without, drawn from nothing.

        None of them is among those `seen`, as texts. Fewer where draws give no new ones.
        """
        known, made = set(seen), []
        for place in range(self.population):
            random = Random(f"{self.seed}|{number}|{place}")
            for _ in range(MOST_DRAWS):
                genome = child(parents, random) if parents else random_genome(random)
                if str(genome) not in known and self._fits(genome):
                    known.add(str(genome))
                    made.append(genome)
                    break
        return made

    def spec_of(self, genome: Genome, generation: int, place: int) -> JobSpec:
        """The job that trains it."""
        return self.trained_as(genome, self.name_of(generation, place))

    def trained_as(self, genome: Genome, name: str) -> JobSpec:
        """The job of that name, otherwise like the template."""
        own = {"net": "genome", "genome": str(genome), "features": None, "blocks": None}
        return self.template.model_copy(update=own | {"name": name})

    def name_of(self, generation: int, place: int) -> str:
        """Of the job in this place of a generation, both counted from 1."""
        return f"{self.title}_g{generation:02d}_{place:02d}"

    def parameters(self, genome: Genome) -> int:
        """Its weights; they do not depend on the size of pictures."""
        spec = self.spec_of(genome, 1, 1)
        side = 8 * spec.scale
        return sum(layer.parameters for layer in generator(spec, side, side).layers)

    def _fits(self, genome: Genome) -> bool:
        return self.most_parameters is None or self.parameters(genome) <= self.most_parameters
