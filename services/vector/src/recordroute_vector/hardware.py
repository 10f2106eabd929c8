"""Chooses the hardware that a model runs on: what was asked for, or an error, never something else in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import onnxruntime
from recordroute_runtime.errors import PreconditionFailed

DeviceSetting = Literal["auto", "cpu", "cuda", "coreml"]

CPU_PROVIDER = "CPUExecutionProvider"
# In order of preference. A GPU rounds float32 products to TF32 unless it is told not to.
_ACCELERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "cuda": ("CUDAExecutionProvider", {"use_tf32": "0"}),
    "coreml": ("CoreMLExecutionProvider", {}),
}


@dataclass(frozen=True)
class Device:
    """A kind of hardware. `accelerated`: large batches pay."""

    name: str

    @property
    def accelerated(self) -> bool:
        return self.name != "cpu"

    @property
    def providers(self) -> list[tuple[str, dict[str, Any]]]:
        """ONNX Runtime's execution providers, best first."""
        own = [_ACCELERATORS[self.name]] if self.accelerated else []
        return [*own, (CPU_PROVIDER, {})]


def choose_devices(setting: DeviceSetting) -> list[Device]:
    """Returns the devices to try, in order: one, unless the setting is "auto".

    Raises PreconditionFailed (DEVICE_MISSING) where this build of ONNX Runtime can't use the device.
    """
    built = onnxruntime.get_available_providers()
    if setting == "auto":
        found = [Device(name) for name, (provider, _) in _ACCELERATORS.items() if provider in built]
        return [*found, Device("cpu")]
    if setting != "cpu" and _ACCELERATORS[setting][0] not in built:
        raise device_missing(setting, f"this ONNX Runtime has only {', '.join(built)}")
    return [Device(setting)]


def open_session(
    path: str, devices: list[Device], threads: int
) -> tuple[onnxruntime.InferenceSession, Device]:
    """Opens a model on the first of `devices` that takes it; `threads` share one run on a CPU.

    Raises PreconditionFailed (DEVICE_MISSING) where none does, ValueError where the file is no model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between calls take the cores from the speech and language models beside us.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    for device in devices:
        try:
            session = onnxruntime.InferenceSession(path, options, providers=device.providers)
        except Exception as error:  # its own exceptions share no base but this one
            raise ValueError(f"{path.rpartition('/')[2]} can't be loaded: {error}") from error
        # A provider whose libraries or hardware are not there is left out without an error.
        if session.get_providers()[0] == device.providers[0][0]:
            session.disable_fallback()
            return session, device
    names = " or ".join(device.name for device in devices)
    raise device_missing(names, "its driver or its libraries can't be used on this machine")


def device_missing(name: str, why: str) -> PreconditionFailed:
    return PreconditionFailed(
        "DEVICE_MISSING", f"the model can't run on {name}: {why}", metadata={"device": name}
    )
