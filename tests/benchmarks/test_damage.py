"""The benchmark of damaged files: its parts, and a few rounds of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from benchmarks.aftermath import Example, shown, unexpected
from benchmarks.damage import Campaign, Results, report
from benchmarks.harms import Case, Harm, Moment, cases, kind, owner
from benchmarks.verdicts import Condition, Fault, Found, Outcome, Standing, Verdict, judge
from jobs.workspace.outputs import OutputName

CONTENT = bytes(range(200))


@pytest.mark.parametrize(
    ("harm", "left"),
    [
        (Harm.FLIPPED, CONTENT[:100] + bytes([155, 154, 153, 152]) + CONTENT[104:]),
        (Harm.HALVED, CONTENT[:100]),
        (Harm.EMPTIED, b""),
        (Harm.REMOVED, None),
    ],
)
def test_each_harm_leaves_what_its_name_says(
    tmp_path: Path, harm: Harm, left: bytes | None
) -> None:
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    assert harm.inflict(file, Random(0))
    assert (file.read_bytes() if file.exists() else None) == left
    assert harm is Harm.REMOVED or file.exists()


def test_a_start_is_overwritten_in_place_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    before = file.stat().st_ino
    assert Harm.OVERWRITTEN.inflict(file, Random(0))
    content = file.read_bytes()
    assert content[:64] != CONTENT[:64]
    assert content[64:] == CONTENT[64:]
    assert file.stat().st_ino == before


@pytest.mark.parametrize("harm", Harm)
def test_an_empty_file_can_only_be_removed_and_a_missing_one_not_even_that(
    tmp_path: Path, harm: Harm
) -> None:
    file = tmp_path / "file"
    assert not harm.inflict(file, Random(0))
    file.touch()
    assert harm.inflict(file, Random(0)) is (harm is Harm.REMOVED)


KINDS = [
    ("runs/a/job.yaml", "job.yaml", "a"),
    ("runs/a/checkpoints/000000033-000000066.h5", "checkpoint", "a"),
    ("runs/a/spool/000000000-000000066.rgb", "raw batch", "a"),
    ("runs/a/spool/000000000-000000066.rgb.part", "unfinished batch", "a"),
    ("runs/a/segments/000000000-000000066_box0001.mp4", "segment", "a"),
    ("runs/a/segments/000000000-000000066.png", "marker of PNG frames", "a"),
    ("runs/a/segments/000000000-000000066.sum", "segments/*.sum", "a"),
    ("runs/a/spool.lock", "lock", "a"),
    ("runs/a/made/a.mp4", "note of what is made", "a"),
    ("runs/a/new.json", "new.json", "a"),
    ("runs/farm.sqlite-journal", "store", None),
    ("runs/farm.lock", "lock", None),
    ("runs/.cache/0a1b.h5", "decoded pictures", None),
    ("renders/a.json", "manifest", "a"),
    ("renders/a.mp4", "film", "a"),
    ("renders/a_timecut0001_box0002.mp4", "timecut", "a"),
    ("renders/a_loop0001.mp4", "loop", "a"),
    ("renders/a.ffv1.mov", "export", "a"),
    ("renders/a.contact.jpg", "poster", "a"),
    ("renders/a.mp4.part", "half-made file", "a"),
    ("renders/a/frame_000000000.png", "PNG frame", "a"),
    ("renders/a/000000000-000000066.part/frame_000000000.png", "half-made file", "a"),
    ("data/noise/001.png", "picture of a data set", None),
]


@pytest.mark.parametrize(("file", "what", "job"), KINDS)
def test_what_a_file_is_for_and_whose_it_is(file: str, what: str, job: str | None) -> None:
    assert (kind(file), owner(file)) == (what, job)


def test_every_harm_meets_one_of_the_files_that_are_alike() -> None:
    cuts = {f"renders/{job}_timecut000{n}.mp4": 9 for job in "ab" for n in (1, 2)}
    lone = {"runs/farm.lock": 9, "runs/a/spool.lock": 0, "runs/b/spool.lock": 0}
    chosen = cases({Moment.DONE: {**cuts, **lone}}, Random(3))
    assert all(case.moment is Moment.DONE for case in chosen)
    assert [case.harm for case in chosen if case.file in cuts] == list(Harm)
    assert len({case.file for case in chosen if case.file in cuts}) > 1
    assert [case.harm for case in chosen if case.file == "runs/farm.lock"] == list(Harm)
    assert [case.harm for case in chosen if case.file.endswith("spool.lock")] == [Harm.REMOVED]
    assert chosen == cases({Moment.DONE: {**cuts, **lone}}, Random(3))


FILM, CUT, MANIFEST = "renders/a.mp4", "renders/a_timecut0001.mp4", "renders/a.json"
WELL = Found(
    exit_code=0,
    said="a: published /w/renders/a.mp4\n",
    status_code=0,
    status_said="[]",
    states={"a": ("done", ""), "b": ("done", "")},
    outputs=dict.fromkeys((FILM, CUT, MANIFEST, "renders/b.mp4"), Condition.EQUAL),
    published=frozenset(),
    standing=Standing.ANOTHER,
)
FAILED_A = {"a": ("failed", "frames 0-66 are lost"), "b": ("done", "")}


def broken(output: str, condition: Condition = Condition.DIFFERS, **others: object) -> Found:
    """A farm that has ended well, but for one output."""
    found = replace(WELL, outputs={**WELL.outputs, output: condition})
    return replace(found, **{"standing": Standing.AS_HARMED, **others})


def harmed(file: str, moment: Moment = Moment.KILLED) -> Case:
    return Case(file, Harm.HALVED, moment)


SEGMENT = harmed("runs/a/segments/000000000-000000066.mp4")
LOG = harmed("runs/a/log.txt")
STORE = harmed("runs/farm.sqlite")
AT_WORK, DONE = Moment.AT_WORK, Moment.DONE
KEPT = replace(WELL, standing=Standing.AS_HARMED)
REFUSED = replace(WELL, exit_code=2, said="it is damaged", states={}, status_code=1)
FAILS = replace(WELL, exit_code=1, states=FAILED_A)


@pytest.mark.parametrize(
    ("case", "found", "outcome"),
    [
        (SEGMENT, WELL, Outcome.MADE_AGAIN),
        (SEGMENT, replace(WELL, standing=Standing.GONE), Outcome.MADE_AGAIN),
        (LOG, KEPT, Outcome.UNAFFECTED),
        (LOG, replace(KEPT, said="log.txt is odd"), Outcome.TOLD),
        (SEGMENT, FAILS, Outcome.FAILED),
        (SEGMENT, replace(FAILS, half_made=("runs/a/spool/0.rgb.part",)), Outcome.FAILED),
        (STORE, REFUSED, Outcome.TOLD),
        (STORE, replace(REFUSED, exit_code=1, states={"a": ("", ""), "b": ("", "")}), Outcome.TOLD),
        (harmed(CUT, DONE), broken(CUT, was_done=True), Outcome.NOT_LOOKED_AT),
        (harmed(CUT), broken(CUT, Condition.MISSING), Outcome.NOT_LOOKED_AT),
        (harmed(FILM, AT_WORK), broken(FILM, was_done=True), Outcome.NOT_LOOKED_AT),
        (harmed(FILM, DONE), broken(FILM, said="a.mp4 is damaged"), Outcome.TOLD),
    ],
)
def test_what_may_become_of_a_damaged_file(case: Case, found: Found, outcome: Outcome) -> None:
    assert judge(case, found) == Verdict(outcome)


@pytest.mark.parametrize(
    ("case", "found", "fault"),
    [
        (SEGMENT, replace(WELL, exit_code=None), Fault.HANGS),
        (SEGMENT, replace(WELL, exit_code=-9), Fault.STRANGE_END),
        (SEGMENT, replace(WELL, exit_code=75), Fault.STRANGE_END),
        (SEGMENT, broken(FILM), Fault.WRONG_FILM),
        (SEGMENT, broken("renders/b.mp4", Condition.MISSING), Fault.WRONG_FILM),
        (harmed(FILM, DONE), broken(FILM, was_done=True), Fault.WRONG_FILM),
        (harmed(FILM), broken(FILM, Condition.MISSING), Fault.WRONG_FILM),
        (harmed(CUT), broken(CUT), Fault.WRONG_FILM),
        (harmed(CUT, AT_WORK), broken(CUT, was_done=True, vouched=True), Fault.WRONG_FILM),
        (harmed(MANIFEST, DONE), broken(MANIFEST, was_done=True), Fault.WRONG_EXTRA),
        (SEGMENT, broken(CUT, exit_code=1, states=FAILED_A, published={CUT}), Fault.LOST),
        (SEGMENT, replace(FAILS, states={"a": ("done", ""), "b": ("failed", "no")}),
         Fault.OTHERS_HARMED),
        (harmed("runs/a/job.yaml"), REFUSED, Fault.ALL_REFUSED),
        (harmed("runs/a/job.yaml"), replace(WELL, exit_code=1), Fault.ALL_REFUSED),
        (SEGMENT, replace(FAILS, states=FAILED_A | {"b": ("rendering", "")}), Fault.STATUS),
        (STORE, replace(REFUSED, said=" \n"), Fault.NO_REASON),
        (LOG, FAILS, Fault.GIVEN_UP),
        (SEGMENT, replace(FAILS, states=FAILED_A | {"a": ("failed", "")}), Fault.NO_REASON),
        (SEGMENT, replace(WELL, said="Traceback (most recent call last):"), Fault.TRACEBACK),
        (SEGMENT, replace(WELL, tracebacks=1), Fault.LOGGED),
        (SEGMENT, replace(WELL, orphans=1), Fault.ORPHANS),
        (SEGMENT, replace(WELL, half_made=("runs/a/spool/0.rgb.part",)), Fault.HALF_MADE),
        (SEGMENT, replace(FAILS, half_made=("renders/a.mp4.part",)), Fault.HALF_MADE),
        (STORE, replace(WELL, store_is_sound=False), Fault.STORE),
        (STORE, replace(WELL, states={"a": ("done", ""), "b": ("", "")}), Fault.STATUS),
        (STORE, replace(WELL, states=FAILED_A), Fault.STATUS),
        (STORE, replace(WELL, status_code=1), Fault.STATUS),
    ],
)  # fmt: skip
def test_what_must_not(case: Case, found: Found, fault: Fault) -> None:
    verdict = judge(case, found)
    assert verdict.outcome is Outcome.WRONG
    assert fault in verdict.faults


def test_a_traceback_of_an_error_of_ours_is_expected_in_a_log() -> None:
    head = 'Traceback (most recent call last):\n  File "a.py", line 1\n'
    ours = f"ERROR it is damaged\n{head}jobs.errors.FramesLost: frames 0 to 9\n"
    theirs = f"{head}ValueError: no number\n"
    because = "\nThe above exception was the direct cause of the following exception:\n\n"
    assert unexpected(ours) == []
    assert unexpected(theirs + because + ours) == []
    assert unexpected(f"{ours}INFO going on\n{theirs}INFO going on\n") == ["ValueError: no number"]


def test_a_film_that_is_published_again_is_not_told_of() -> None:
    found = broken(FILM, said="a: published /w/renders/a.mp4", was_done=True)
    assert judge(harmed(FILM, DONE), found).faults == (Fault.WRONG_FILM,)


def test_the_report_counts_faults_and_outcomes_by_kind() -> None:
    wrong = Verdict(Outcome.WRONG, (Fault.HANGS, Fault.ORPHANS))
    results = Results([(SEGMENT, wrong), (SEGMENT, Verdict(Outcome.MADE_AGAIN))], [LOG])
    told = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in report(results).split("\n")
    ]
    assert ["rounds", "2", "-"] in told
    assert ["never met", "1", "-"] in told
    assert ["hangs", "1", "0"] in told
    assert ["orphans", "1", "0"] in told
    assert ["segment", "2", "1", "0", "0", "0", "0", "1"] in told
    assert not results.clean
    first = json.loads(json.dumps(results.for_machines()))["rounds"][0]
    assert first["faults"] == ["hangs", "orphans"]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("damage"), seed=1, sheets=["cards"])


@pytest.mark.long
def test_a_few_rounds(campaign: Campaign) -> None:
    """One of each moment: nothing that the farm has, between two runs and while it works."""
    rounds = [
        Case("runs/boxes/log.txt", Harm.REMOVED, AT_WORK),
        Case("runs/stills/progress.jsonl", Harm.HALVED, Moment.KILLED),
        Case("runs/boxes/latest.jpg", Harm.FLIPPED, Moment.AMONG_EXTRAS),
        Case("renders/boxes_loop0001_box0001.mp4", Harm.EMPTIED, DONE),
    ]
    campaign.play([("cards", case) for case in rounds])
    results = campaign.results
    assert {case for case, _ in results.verdicts} == set(rounds)
    assert results.clean, report(results)


def test_a_sample_is_drawn_by_the_seed(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[list[tuple[str, Case]]] = []
    monkeypatch.setattr(campaign, "play", drawn.append)
    for _ in range(2):
        campaign.run(rounds=5)
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 5


def test_outputs_are_compared_by_what_they_show(campaign: Campaign, tmp_path: Path) -> None:
    root = campaign.undisturbed("cards")
    example = Example(root)
    kinds = {kind(output) for output in example.outputs}
    assert kinds == {"film", "timecut", "PNG frame", "loop", "export", "poster"}
    copied = tmp_path / "workspace"
    shutil.copytree(root, copied)
    conditions = {output: example.condition(copied, output) for output in example.outputs}
    assert set(conditions.values()) == {Condition.EQUAL}
    for output in example.outputs:
        assert Harm.HALVED.inflict(copied / output, Random(0))
        assert example.condition(copied, output) is Condition.DIFFERS, output
        (copied / output).unlink()
        assert example.condition(copied, output) is Condition.MISSING
    film = next(each for each in example.outputs if kind(each) == "film")
    assert OutputName.parse(Path(film).name)
    assert len(shown(root / film)) > 100
