"""Networks written as a line, and what evolution makes of them."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from jobs.families.layer import Shape
from jobs.families.superres.evolution import ODDS, Breeding, child, random_genome
from jobs.families.superres.genomes import MOST_GENES, Gene, Genome
from jobs.families.superres.nets import NETS, Wanted
from jobs.families.trees import layers_of, planned, radius
from jobs.settings.spec import JobSpec

TEMPLATE = JobSpec(
    name="bred", dataset="d", grid_width=1, grid_height=1, steps=1, family="superres", scale=2
)


@pytest.mark.parametrize(
    ("text", "net", "blocks"),
    [
        ("64k9 32k1 out5", "basicsr", 0),
        ("64k9 mean32k1,3,5 out5", "expansionsr", 0),
        ("64k3*16 64k3*4 out3", "vdsr", 20),
        ("64k3e*2 out3", "vdsr-elu", 2),
    ],
)
def test_published_networks_can_be_written(text: str, net: str, blocks: int) -> None:
    genome = Genome.parse(text)
    wanted = Wanted(64, blocks, 1, 3)
    assert str(genome) == text
    assert genome.parts(3) == NETS[net].parts(wanted)
    assert radius(genome.parts(3), 1) == radius(NETS[net].parts(wanted), 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" ", "is empty, and net genome needs one"),
        ("64k9 32k1", "ends with '32k1', and must end with out5"),
        ("out5", "is of 1, and from 2"),
        ("64k9 conv out5", "'conv' is no gene such as"),
        ("64k4 out5", "'64k4': kernels have odd sides"),
        ("64k3,5 out5", "'64k3,5': several kernels are merged by one of"),
        ("mean64k3 out5", "'mean64k3': mean is of several kernels"),
        ("512k3 out5", "'512k3': from 1 to 256 channels"),
        ("0k3 out5", "'0k3': from 1 to 256 channels"),
        ("64k3 out16", "'out16': kernels have odd sides"),
        ("64k3 " * MOST_GENES + "out3", f"is of {MOST_GENES + 1}, and from 2"),
    ],
)
def test_what_is_no_genome_is_told(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="^" + reason.replace("(", r"\(")):
        Genome.parse(text)


def test_whatever_is_drawn_and_bred_can_be_written_and_built() -> None:
    random = Random(0)
    alive = [random_genome(random) for _ in range(20)]
    for _ in range(400):
        genome = child(alive, random)
        assert Genome.parse(str(genome)) == genome
        layers = layers_of(planned(genome.parts(3), Shape(8, 8, 3)))
        assert layers[-1].output == Shape(8, 8, 3)
        assert len(genome.genes) < MOST_GENES
        alive[random.randrange(len(alive))] = genome


def test_a_child_differs_from_its_parent_as_often_as_changes_are_drawn() -> None:
    parent = Genome((Gene(64, (9,)), Gene(32, (3,)), Gene(64, (3, 5), "mean")), 5)
    children = [child([parent], Random(seed)) for seed in range(600)]
    lengths = Counter(len(each.genes) - 3 for each in children)
    share = {change: weight / sum(ODDS.values()) for change, weight in ODDS.items()}
    grown = lengths[1] / len(children)
    assert share["insert"] * 0.8 < grown < share["insert"] * 1.6, "others conjugate to longer ones"
    assert lengths[-1] / len(children) > 0.5 * share["delete"]
    assert len(set(map(str, children))) > 100


def test_a_generation_has_nobody_twice_and_nobody_too_large() -> None:
    breeding = Breeding(TEMPLATE, "line", population=8, survivors=2, seed=3, most_parameters=60_000)
    first = breeding.generation(1, [], set())
    seen = set(map(str, first))
    second = breeding.generation(2, first[:2], seen)

    assert len(first) == len(second) == 8
    assert len(seen | set(map(str, second))) == 16
    assert all(breeding.parameters(each) <= 60_000 for each in (*first, *second))
    assert breeding.generation(2, first[:2], seen) == second, "the same again"
    assert Breeding(TEMPLATE, "line", 8, 2, 4, 60_000).generation(1, [], set()) != first
    spec = breeding.spec_of(second[0], 2, 1)
    assert (spec.name, spec.net, spec.genome) == ("line_g02_01", "genome", str(second[0]))


def test_where_nothing_is_small_enough_nobody_is_born() -> None:
    assert Breeding(TEMPLATE, "line", 3, 1, 0, most_parameters=10).generation(1, [], set()) == []
