"""What NVML's return codes mean to a user. Codes: nvmlReturn_t in nvml.h."""

from __future__ import annotations

NOT_SUPPORTED = 3
LIBRARY_NOT_FOUND = 12

_ERRORS: dict[int, tuple[str, str | None]] = {
    1: ("NVML was not initialised", None),
    2: ("the driver refused the question as invalid", "Update the NVIDIA driver."),
    NOT_SUPPORTED: ("the GPU does not support this question", None),
    4: ("no permission to ask the driver", "Add this user to the group that owns /dev/nvidia*."),
    6: ("the driver found nothing", None),
    8: ("a GPU lacks external power", "Connect its power cables."),
    9: (
        "the NVIDIA driver is not loaded",
        "Load it (modprobe nvidia) or, in a container, start it with GPU access (docker run --gpus all).",
    ),
    10: ("the driver timed out", "Check the kernel log for Xid errors; a reset or reboot may help."),
    11: ("the GPU has a problem with its interrupts", "Check the kernel log; a reboot may help."),
    LIBRARY_NOT_FOUND: (
        "no NVIDIA driver library was found",
        "Nothing to do without an NVIDIA GPU; otherwise install its driver, or start the container with GPU access.",
    ),
    13: ("the driver is too old for this question", "Update the NVIDIA driver."),
    15: ("the GPU is lost: it fell off the bus", "Check the kernel log for Xid 79; reboot, check its power and seat."),
    16: ("the GPU needs a reset", "Run nvidia-smi --gpu-reset as an administrator, or reboot."),
    17: ("the operating system blocked the question", "In a container, pass the devices /dev/nvidia* into it."),
    18: (
        "the driver's library and kernel module have different versions",
        "Reboot after a driver update; in a container, match the host's driver.",
    ),
    20: ("the driver ran out of memory", None),
    28: ("no such GPU", None),
    999: ("the driver failed without saying why", "Check the kernel log; a reboot may help."),
}


def explain(code: int) -> tuple[str, str | None]:
    """Reason and hint for a return code."""
    reason, hint = _ERRORS.get(code, ("the driver reported an error", None))
    return f"{reason} (NVML error {code})", hint
