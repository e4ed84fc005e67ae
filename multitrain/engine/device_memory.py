"""Whether a data set can lie on the device that trains on it."""

from __future__ import annotations

import os

from multitrain.driver.driver import DriverError, GpuDriver
from multitrain.driver.nvml import NvmlDriver
from multitrain.driver.patient import PatientDriver

PICTURES_SHARE = 0.5  # of a device's memory; networks and activations want the rest


def fits(picture_bytes: int, device_bytes: int | None) -> bool:
    """Whether pictures fit on a device with so much memory; None: unknown, so they do."""
    return device_bytes is None or picture_bytes <= PICTURES_SHARE * device_bytes


def gpu_bytes(driver: GpuDriver | None = None) -> int | None:
    """Memory of the smallest GPU that this process may use; None where the driver does not say."""
    try:
        gpus = (driver or PatientDriver(NvmlDriver())).gpus()
    except DriverError:
        return None
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    mine = gpus if visible is None else [gpu for gpu in gpus if _is_among(gpu.uuid, visible)]
    return min((gpu.memory_total for gpu in mine if gpu.memory_total), default=None)


def _is_among(uuid: str, visible: str) -> bool:
    """Whether `visible` names this GPU. Only UUIDs count, as farms set them: indices may change."""
    return uuid in visible.split(",")
