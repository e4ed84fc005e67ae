from __future__ import annotations

import subprocess
import sys

NOISE = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
from multitrain.networks.regularization import Noise

with strategy.scope():
    noise = Noise(1.0, seed=7, dtype="float32")
    noise.build((3,))
draw = tf.function(lambda: strategy.run(lambda: noise(tf.zeros((3,)), training=True)))
drawn = [tuple(each.numpy()) for _ in range(2) for each in draw().values]
print(len(set(drawn)))
"""


def test_each_replica_draws_noise_of_its_own_at_each_call() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOISE], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.strip()) == (0, "4"), done.stderr[-2000:]
