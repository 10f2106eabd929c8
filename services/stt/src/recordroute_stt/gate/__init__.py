"""Keeps words out that nobody said."""

from recordroute_stt.gate.silence_gate import SilenceGate

__all__ = ["SilenceGate"]
