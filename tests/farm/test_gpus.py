from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from simulation import FakeDriver, make_gpus

from jobs.errors import UsageError
from multitrain.blame import SET_ASIDE_SECONDS
from multitrain.driver_watch import KNOWN_SECONDS, LOST_SECONDS
from multitrain.gpu_driver import DriverError, Gpu, NoAnswerYet
from multitrain.gpus import GpuPool, choose
from multitrain.patient_driver import PatientDriver
from multitrain.slots import GPUS_LEASED, Lease


@dataclass
class MoodyDriver(FakeDriver):
    """Fails as the test says and counts the questions."""

    error: DriverError | None = None
    questions: int = 0

    def gpus(self) -> list[Gpu]:
        self.questions += 1
        if self.error:
            raise self.error
        return super().gpus()


def labels(gpus: list[Gpu]) -> list[int]:
    return [gpu.index for gpu in gpus]


@pytest.mark.parametrize(
    ("wanted", "visible", "chosen"),
    [
        ("all", None, [0, 1, 2, 3]),
        ("2,0", None, [2, 0]),
        ("1, 1", None, [1]),
        ("GPU-0003", None, [3]),
        ("all", "1,GPU-0002", [1, 2]),
        ("all", "", []),
        ("all", "-1", []),
        ("2", "1,2", [2]),
    ],
)
def test_choice_of_gpus(wanted: str, visible: str | None, chosen: list[int]) -> None:
    assert labels(choose(make_gpus(4), wanted, visible)) == chosen


@pytest.mark.parametrize("wanted", ["7", "0,7", "", "x"])
def test_a_gpu_that_is_not_there_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="there is no GPU"):
        choose(make_gpus(2), wanted, None)


def test_two_farms_never_lease_the_same_gpu(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(2))
    ours = GpuPool(driver, driver.gpus(), tmp_path)
    theirs = GpuPool(driver, driver.gpus(), tmp_path)
    lease = ours.acquire(ours.free(0)[:1])
    assert lease is not None
    assert [slot.label for slot in theirs.free(0)] == ["gpu 1"]
    assert "another farm" in theirs.busy_reasons()["gpu 0"]
    assert theirs.acquire(lease.slots) is None
    ours.release(lease, 0)
    assert len(theirs.free(10)) == 2


def test_memory_that_does_not_come_back_is_waited_for_but_not_for_ever(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(1))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = pool.acquire(pool.free(0))
    assert lease is not None
    driver.devices = [Gpu(0, "GPU-0000", "Test GPU", 24 * 2**30, 15 * 2**30)]
    pool.release(lease, now=100)
    assert pool.free(now=150) == []
    assert len(pool.free(now=170)) == 1


def test_a_driver_that_fails_gives_no_slots_and_says_why(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(1))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    driver.error = DriverError("the NVIDIA driver fails: Unknown Error")
    assert pool.free(0) == []
    assert pool.busy_reasons() == {"the driver": "the NVIDIA driver fails: Unknown Error"}
    assert pool.free(0.5) == []  # not asked again, not forgotten either
    assert "Unknown" in str(pool.busy_reasons())
    driver.error = None
    assert len(pool.free(2)) == 1
    assert pool.busy_reasons() == {}


def test_the_driver_is_asked_once_a_second(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(1))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    driver.questions = 0
    asked = []
    for now in (5000.0, 5000.2, 5000.9, 5001.1, 5001.5, 5002.1):
        pool.free(now)
        asked.append(driver.questions)
    assert asked == [1, 1, 1, 2, 2, 3]


def test_a_driver_that_takes_its_time_is_no_news(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    [first, second] = pool.free(0)
    driver.error = NoAnswerYet("in a moment")
    assert pool.free(2) == [first, second]
    lease = pool.acquire([first])
    assert lease is not None
    pool.release(lease, 3)
    assert pool.free(4) == [second]  # what was known of the other one is out of date
    assert "asked" in pool.busy_reasons()["gpu 0"]
    driver.error = None
    assert pool.free(5) == [first, second]
    driver.error = NoAnswerYet("in a moment")
    assert pool.free(4 + KNOWN_SECONDS) == [first, second]
    assert pool.free(6 + KNOWN_SECONDS) == []  # too long ago


def test_a_driver_that_has_not_answered_yet_is_no_failure_and_mends_none(tmp_path: Path) -> None:
    driver = MoodyDriver(make_gpus(1))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    driver.error = DriverError("it fails")
    assert pool.free(0) == []
    driver.error = NoAnswerYet("in a moment")
    assert pool.free(2) == []
    assert pool.busy_reasons() == {"the driver": "it fails"}


@pytest.mark.parametrize("answered_before", [True, False])
def test_what_was_asked_before_a_release_is_no_news_after_it(
    answered_before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer() -> None:
        questions.pop(0)()

    monkeypatch.setattr("multitrain.patient_driver.BLINK_SECONDS", 0.0)
    questions: list[Callable[[], None]] = []
    driver = FakeDriver(make_gpus(1))
    pool = GpuPool(
        PatientDriver(driver, lambda: 0.0, questions.append, 0.0), driver.gpus(), tmp_path
    )
    pool.free(0)
    answer()
    assert len(pool.free(1)) == 1
    lease = lease_of(pool, 0, now=2)  # what was known will do while the driver is asked again
    if answered_before:
        answer()
    pool.release(lease, 3)
    if not answered_before:
        answer()
    driver.devices = [replace(gpu, memory_free=2**30) for gpu in driver.devices]
    assert pool.free(4) == []
    answer()
    assert pool.free(5) == []
    assert pool.busy_reasons() == {"gpu 0": "its memory is taken: 1.0 GiB are free"}
    driver.devices = make_gpus(1)
    pool.free(6)
    answer()
    assert len(pool.free(7)) == 1


def lease_of(pool: GpuPool, *numbers: int, now: float = 0) -> Lease:
    """A lease of the GPUs with these labels, which are free."""
    labels = [f"gpu {number}" for number in numbers]
    lease = pool.acquire([slot for slot in pool.free(now) if slot.label in labels])
    assert lease is not None
    assert len(lease.slots) == len(numbers)
    return lease


class TestLost:
    """GPUs that the driver does not know any more."""

    def test_a_job_must_leave_it_after_half_a_minute(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(3))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        on_two, on_rest = lease_of(pool, 2), lease_of(pool, 0, 1)
        driver.devices = make_gpus(2)
        assert pool.fault(on_two, 100) is None
        assert pool.fault(on_two, 99 + LOST_SECONDS) is None
        fault = pool.fault(on_two, 101 + LOST_SECONDS)
        assert fault == "gpu 2: lost: the driver does not know it any more"
        assert pool.fault(on_rest, 101 + LOST_SECONDS) is None

    def test_only_answers_count(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease = lease_of(pool, 1)
        driver.devices = make_gpus(1)
        assert pool.fault(lease, 100) is None
        driver.error = NoAnswerYet("in a moment")
        assert pool.fault(lease, 200) is None
        driver.error = DriverError("it fails")
        assert pool.fault(lease, 300) is None
        driver.error = None
        assert pool.fault(lease, 302) is not None
        driver.error = DriverError("it fails")
        assert pool.fault(lease, 304) is None

    def test_it_is_not_offered_and_told_why(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        driver.devices = make_gpus(1)
        assert [slot.label for slot in pool.free(0)] == ["gpu 0"]
        assert pool.busy_reasons() == {"gpu 1": "lost: the driver does not know it any more"}
        driver.devices = make_gpus(2)
        assert len(pool.free(50)) == 2
        assert pool.busy_reasons() == {}

    def test_one_that_comes_back_begins_anew(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease = lease_of(pool, 1)
        for now in (100, 200, 300):
            driver.devices = make_gpus(1)
            assert pool.fault(lease, now) is None
            driver.devices = make_gpus(2)
            assert pool.fault(lease, now + 20) is None

    def test_it_cannot_be_hoped_for_while_the_driver_answers_without_it(
        self, tmp_path: Path
    ) -> None:
        driver = MoodyDriver(make_gpus(3))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        usable = []
        for now, count, error in (
            (0.0, 3, None),
            (100.0, 2, None),
            (99.0 + LOST_SECONDS, 2, None),
            (100.0 + LOST_SECONDS, 2, None),
            (200.0, 2, NoAnswerYet("in a moment")),
            (300.0, 2, DriverError("it fails")),
            (400.0, 2, None),
            (500.0, 3, None),
        ):
            driver.devices, driver.error = make_gpus(count), error
            pool.free(now)
            usable.append(pool.usable())
        assert usable == [3, 3, 3, 2, 2, 3, 2, 3]
        assert pool.size == 3

    @pytest.mark.parametrize("uuid", ["GPU-0001", ""])
    def test_the_drivers_own_words_are_told(self, uuid: str, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease = lease_of(pool, 1)
        driver.devices[1] = Gpu(1, uuid, "", 0, 0, trouble="GPU is lost")
        pool.fault(lease, 100)
        assert pool.fault(lease, 200) == "gpu 1: lost: GPU is lost"

    def test_the_others_keep_their_labels(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(3))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        driver.devices = [replace(gpu, index=gpu.index - 1) for gpu in make_gpus(3)[1:]]
        assert [slot.label for slot in pool.free(0)] == ["gpu 1", "gpu 2"]
        assert list(pool.busy_reasons()) == ["gpu 0"]

    @pytest.mark.parametrize("left", [[], [Gpu(0, "", "", 0, 0, trouble="Unknown Error")]])
    def test_a_driver_without_any_gpu_is_no_fault_of_a_lease(
        self, left: list[Gpu], tmp_path: Path
    ) -> None:
        driver = MoodyDriver(make_gpus(1))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease = lease_of(pool, 0)
        driver.devices = left
        assert pool.fault(lease, 100) is None
        assert pool.fault(lease, 200) is None
        assert pool.free(200) == []
        assert list(pool.busy_reasons()) == ["the driver"]


class TestSetAside:
    """GPUs that a job failed on."""

    def test_others_come_first_for_a_while(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(3))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease = lease_of(pool, 0)
        assert pool.set_aside(lease, "the GPU failed", 100)
        pool.release(lease, 100)
        assert [slot.label for slot in pool.free(101)] == ["gpu 1", "gpu 2"]
        assert pool.busy_reasons() == {"gpu 0": "set aside for 10 min: the GPU failed"}
        pool.free(99 + SET_ASIDE_SECONDS)
        assert pool.busy_reasons() == {"gpu 0": "set aside for 1 min: the GPU failed"}
        labels = [slot.label for slot in pool.free(101 + SET_ASIDE_SECONDS)]
        assert labels == ["gpu 1", "gpu 2", "gpu 0"]

    def test_it_is_not_offered_while_others_are_only_busy(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease, _ours = lease_of(pool, 0), lease_of(pool, 1)
        assert pool.set_aside(lease, "the GPU failed", 100)
        pool.release(lease, 100)
        assert pool.free(101) == []

    def test_where_all_are_set_aside_nothing_waits(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        first, second = lease_of(pool, 0), lease_of(pool, 1)
        assert pool.set_aside(second, "the GPU failed", 100)
        assert not pool.set_aside(first, "the GPU failed", 110)
        pool.release(first, 110)
        pool.release(second, 110)
        assert [slot.label for slot in pool.free(111)] == ["gpu 1", "gpu 0"]  # longest ago first
        assert pool.busy_reasons() == {}

    def test_a_job_that_breaks_all_gpus_does_not_go_round_for_ever(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        went_on = []
        for now in (0, 5000, 10_000, 15_000):
            lease = pool.acquire(pool.free(now)[:1])
            assert lease is not None
            went_on.append((lease.label, pool.set_aside(lease, "the GPU failed", now)))
            pool.release(lease, now)
        assert went_on == [("gpu 0", True), ("gpu 1", False), ("gpu 0", False), ("gpu 1", False)]

    def test_a_lost_one_is_no_other(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease = lease_of(pool, 0)
        driver.devices = make_gpus(1)
        pool.free(50)
        assert not pool.set_aside(lease, "the GPU failed", 100)
        pool.release(lease, 100)
        assert [slot.label for slot in pool.free(101)] == ["gpu 0"]

    def test_of_several_the_lost_ones_are_to_blame(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(3))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease = lease_of(pool, 0, 1)
        driver.devices.pop(1)
        pool.free(50)
        assert pool.set_aside(lease, "gpu 1: lost", 100)
        pool.release(lease, 100)
        assert [slot.label for slot in pool.free(101)] == ["gpu 0", "gpu 2"]

    def test_a_job_for_two_needs_two_others(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(3))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        assert not pool.set_aside(lease_of(pool, 0, 1), "the GPU failed", 100)

    def test_a_job_that_fails_there_again_while_the_others_are_busy_is_to_blame(
        self, tmp_path: Path
    ) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease_of(pool, 0)  # by a job that trains all night
        free_of_blame = []
        for now in (0, 1000, 2000):
            lease = lease_of(pool, 1, now=now)
            free_of_blame.append(pool.set_aside(lease, "the GPU failed", now))
            pool.release(lease, now)
            assert pool.free(now + SET_ASIDE_SECONDS - 1) == []
        assert free_of_blame == [True, False, False]

    def test_one_of_several_that_a_job_had_failed_on_is_enough(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(5))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease = lease_of(pool, 0)
        assert pool.set_aside(lease, "the GPU failed", 0)
        pool.release(lease, 0)
        later = 2 * SET_ASIDE_SECONDS
        assert not pool.set_aside(lease_of(pool, 0, 1, now=later), "the GPU failed", later)

    def test_where_a_job_does_well_nothing_is_held_against_it(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(3))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        first, second = lease_of(pool, 0), lease_of(pool, 1)
        assert pool.set_aside(first, "the GPU failed", 0)
        assert pool.set_aside(second, "the GPU failed", 0)
        pool.proved(first)
        pool.release(first, 10)
        pool.release(second, 10)
        assert [slot.label for slot in pool.free(20)] == ["gpu 0", "gpu 2"]
        assert pool.busy_reasons() == {"gpu 1": "set aside for 10 min: the GPU failed"}
        assert pool.set_aside(lease_of(pool, 0, now=20), "the GPU failed", 20)

    def test_doing_well_first_excuses_no_later_failure(self, tmp_path: Path) -> None:
        driver = MoodyDriver(make_gpus(2))
        pool = GpuPool(driver, driver.gpus(), tmp_path)
        lease = lease_of(pool, 0)
        pool.proved(lease)
        assert pool.set_aside(lease, "the GPU failed", 0)
        pool.release(lease, 0)
        assert [slot.label for slot in pool.free(1)] == ["gpu 1"]


def test_what_a_training_on_gpus_sees(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    assert lease_of(pool, 0, 1).environment == {
        "CUDA_VISIBLE_DEVICES": "GPU-0000,GPU-0001",
        GPUS_LEASED: "gpu 0, gpu 1",
    }


def test_who_else_is_on_a_gpu_is_told(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    driver.devices[0] = replace(driver.devices[0], processes=(7, 8))
    driver.devices[1] = replace(driver.devices[1], memory_free=2**30)
    assert pool.free(0) == []
    assert pool.busy_reasons() == {
        "gpu 0": "in use by process 7, 8",
        "gpu 1": "its memory is taken: 1.0 GiB are free",
    }


def test_a_gpu_that_tells_nothing_of_itself_can_be_had(tmp_path: Path) -> None:
    driver = FakeDriver([Gpu(0, "GPU-0000", "Test GPU", 0, 0)])
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    pool.release(lease_of(pool, 0), 10)
    assert len(pool.free(11)) == 1


def test_leases_that_cannot_be_had_hold_up_nobody_else(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(2))
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    slots = pool.free(0)
    (tmp_path / "GPU-0000").unlink()
    (tmp_path / "GPU-0000").symlink_to(tmp_path / "nowhere" / "at all")
    assert pool.acquire(slots) is None
    assert [slot.label for slot in pool.free(1)] == ["gpu 1"]
    assert "its lease cannot be had" in pool.busy_reasons()["gpu 0"]
    assert pool.acquire(slots[1:]) is not None  # what was taken before the failure is given back


def test_a_lease_file_of_another_user_is_enough_to_read(tmp_path: Path) -> None:
    driver = FakeDriver(make_gpus(1))
    (tmp_path / "GPU-0000").touch(mode=0o444)
    pool = GpuPool(driver, driver.gpus(), tmp_path)
    lease = pool.acquire(pool.free(0))
    assert lease is not None
    pool.release(lease, 0)
    assert (tmp_path / "GPU-0000").stat().st_mode & 0o777 == 0o444
