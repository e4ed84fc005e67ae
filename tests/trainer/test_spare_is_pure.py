"""A spare is warm, and all that its call says of cores, threads and GPUs still counts."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from multitrain.trainer.waiting import Message

TENSORFLOW = """
import sys
from multitrain.trainer import waiting as spare
spare.warm("tensorflow")
assert "multitrain.families.dcgan.describing" in sys.modules
import tensorflow as tf
# RuntimeErrors where TensorFlow has looked for its devices.
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], 3 * [tf.config.LogicalDeviceConfiguration()]
)
print(len(tf.config.list_logical_devices("CPU")))
"""
JAX = """
import sys
from multitrain.trainer import waiting as spare
spare.warm("jax")
assert "multitrain.families.dcgan.describing" in sys.modules
import jax
jax.config.update("jax_num_cpu_devices", 3)  # RuntimeError where JAX has looked for its devices
print(len(jax.devices("cpu")))
"""


@pytest.mark.parametrize(("engine", "program"), [("tensorflow", TENSORFLOW), ("jax", JAX)])
def test_no_device_is_looked_for(engine: str, program: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": engine, "CUDA_VISIBLE_DEVICES": "-1"}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert ended.stdout == "3\n", ended.stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no such thing on this system")
def test_threads_that_are_there_go_to_the_jobs_cores() -> None:
    core = max(os.sched_getaffinity(0))
    program = (
        "import os, threading\n"
        "from multitrain.trainer.process import _stay_on\n"
        "stop = threading.Event()\n"
        "threading.Thread(target=stop.wait).start()\n"
        f"_stay_on(({core},))\n"
        "print([os.sched_getaffinity(int(each)) for each in os.listdir('/proc/self/task')])\n"
        "stop.set()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == f"{[{core}, {core}]}\n", ended.stderr


def test_half_a_call_is_none() -> None:
    call = Message(("a b\n", "\udcff"), {"SEEN": "é"}, is_call=True)
    assert Message.from_bytes(call.to_bytes()) == call
    assert call.to_bytes().count(b"\n") == 1
    with pytest.raises(ValueError, match="Expecting"):
        Message.from_bytes(call.to_bytes()[:-2])
