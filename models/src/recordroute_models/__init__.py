"""The model catalogue, and the manager that fetches, checks and converts models."""

from recordroute_models.manager import ModelManager, ModelStatus, Pulled, State
from recordroute_models.progress import Notice, Observer, Phase, Progress
from recordroute_models.settings import ModelsSettings

__all__ = [
    "ModelManager",
    "ModelStatus",
    "ModelsSettings",
    "Notice",
    "Observer",
    "Phase",
    "Progress",
    "Pulled",
    "State",
]
