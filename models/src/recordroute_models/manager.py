"""The model manager: what is installed, fetching what is missing, checking, cleaning up."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout
from recordroute_runtime.models import MANIFEST
from recordroute_runtime.settings import CommonSettings

from recordroute_models.catalogue import Model, ModelSource, load_catalogue
from recordroute_models.cpu import cpu_features
from recordroute_models.errors import (
    CorruptFile,
    FetchError,
    ModelCorrupt,
    ModelDownloadFailed,
    ModelMissingOffline,
    ModelsFolderFull,
    ModelsFolderUnwritable,
    ModelSourcesUnreachable,
    ModelUnknown,
    SourceUnreachable,
)
from recordroute_models.installation import Installation
from recordroute_models.plan import plan
from recordroute_models.progress import Notice, Observer, Phase, Progress, ignore
from recordroute_models.settings import ModelsSettings

PARTIAL = ".partial"
SPARE_BYTES = 16 << 20


class State(StrEnum):
    """How a model stands. `OUTDATED` ones are whole, but not what the catalogue has for this machine."""

    INSTALLED = "installed"
    MISSING = "missing"
    BROKEN = "broken"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class ModelStatus:
    """How a model stands on disk; `problems` is one line for each broken file."""

    id: str
    state: State
    size_bytes: int
    source: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pulled:
    """What pulling one model did: `downloaded_bytes` is 0 where nothing had to be fetched."""

    id: str
    source: str
    size_bytes: int
    downloaded_bytes: int
    seconds: float


class ModelManager:
    """Keeps models of the catalogue in `models_dir`.

    Several managers, in several processes too, may work on one folder: each model has its lock. `features` is
    what the CPU can do, found out where it is not given.
    """

    def __init__(
        self,
        models_dir: Path,
        settings: ModelsSettings,
        *,
        offline: bool = False,
        features: frozenset[str] | None = None,
    ) -> None:
        self.models_dir = models_dir
        self.catalogue = load_catalogue(settings.catalogue)
        self._settings = settings
        self._offline = offline
        self._features = cpu_features() if features is None else features
        self._reached: set[str] = set()

    @classmethod
    def from_settings(cls, common: CommonSettings, settings: ModelsSettings) -> ModelManager:
        return cls(common.models_dir, settings, offline=common.offline)

    def status(self, model_id: str) -> ModelStatus:
        """Returns how a model stands, without reading its files. Raises ModelUnknown."""
        model = self.catalogue.model(model_id)
        installation = self._installation(model_id)
        manifest = installation.manifest()
        if manifest is None:
            return ModelStatus(model_id, State.MISSING, 0, "")
        problems = []
        for file in manifest.files:
            path = installation.folder / file.path
            if not path.is_file():
                problems.append(f"{file.path} is missing")
            elif path.stat().st_size != file.size:
                problems.append(f"{file.path} has {path.stat().st_size} bytes instead of {file.size}")
            elif file.broken:
                problems.append(f"{file.path} has failed a check")
        recorded = {(file.path, file.size, file.sha256) for file in manifest.files}
        current = any(
            recorded == {(file.path, file.size, file.sha256) for file in model.files_from(source)}
            for source in self._usable(model)
        )
        state = State.BROKEN if problems else State.INSTALLED if current else State.OUTDATED
        size = sum(file.size for file in manifest.files)
        return ModelStatus(model_id, state, size, manifest.source, tuple(problems))

    def download_bytes(self, model_id: str) -> int:
        """Returns the bytes that pulling the whole model takes; 0 where it has no source. Raises ModelUnknown."""
        model = self.catalogue.model(model_id)
        source = next(iter(self._candidates(model)), None)
        return plan(self.catalogue, source, model.files_from(source)).download_bytes if source else 0

    def source_kinds(self, model_id: str) -> list[str]:
        """Returns where pulling the model would look for it, best first. Raises ModelUnknown."""
        return [source.kind for source in self._candidates(self.catalogue.model(model_id))]

    def missing(self, model_ids: Sequence[str]) -> list[str]:
        """Returns those models that have to be pulled. Raises ModelUnknown."""
        return [model_id for model_id in model_ids if self.status(model_id).state is not State.INSTALLED]

    def pull(self, model_ids: Sequence[str], observer: Observer = ignore) -> list[Pulled]:
        """Installs what is missing, mends what is broken, and leaves the rest alone.

        Raises ModelUnknown before anything is done; ModelMissingOffline, ModelDownloadFailed,
        ModelSourcesUnreachable, ModelCorrupt, ModelsFolderFull, ModelsFolderUnwritable.
        """
        models = [self.catalogue.model(model_id) for model_id in dict.fromkeys(model_ids)]
        for model in models:
            if self._intact_source(model) is None:
                observer(Progress(model.id, Phase.WAITING, 0, self.download_bytes(model.id)))
        return [self._pull(model, observer) for model in models]

    def verify(self, model_id: str, observer: Observer = ignore) -> ModelStatus:
        """Reads every file of a model and returns how it stands. Raises ModelUnknown, ModelsFolderUnwritable.

        A file with other content is marked in `model.json`, so that the next pull does not trust its date.
        """
        model = self.catalogue.model(model_id)
        installation = self._installation(model_id)
        manifest = installation.manifest()
        if manifest is None:
            return self.status(model_id)
        total = sum(file.size for file in manifest.files)
        problems: dict[str, str] = {}
        before = 0
        for file in manifest.files:
            done = before

            def report(count: int, done: int = done) -> None:
                observer(Progress(model_id, Phase.CHECKING, done + count, total))

            if problem := installation.problem(file, report):
                problems[file.path] = f"{file.path} {problem}"
            before += file.size
        observer(Progress(model_id, Phase.DONE, total, total))
        if problems:
            with self._disk_errors(model.id), self._lock(model, observer):
                installation.mark_broken(problems)
            return ModelStatus(model_id, State.BROKEN, total, manifest.source, tuple(problems.values()))
        return self.status(model_id)

    def clean(
        self, model_ids: Sequence[str] = (), *, unknown: bool = False, observer: Observer = ignore
    ) -> int:
        """Deletes the models named with what has arrived of them; with none named, all interrupted downloads. With
        `unknown` also the models that the catalogue lacks.

        Returns the bytes freed. What another process is pulling stays. Raises ModelUnknown for what neither the
        catalogue nor the folder has, and ModelsFolderUnwritable.
        """
        known, others = [model.id for model in self.catalogue.models], self.uncatalogued()
        for model_id in model_ids:
            if model_id not in known and model_id not in others:
                raise ModelUnknown(model_id, [*known, *others])
        models = {*model_ids, *(others if unknown else ())}
        staged = self.models_dir / PARTIAL
        interrupted = (
            {folder.name for folder in staged.iterdir() if folder.is_dir()}
            if staged.exists() and not model_ids
            else set()
        )
        freed = 0
        for name in sorted(models | interrupted):
            try:
                with self._disk_errors(name), self._file_lock(name, timeout=0):
                    freed += _remove(staged / name)
                    if name in models:
                        self._installation(name).retract()
                        freed += _remove(self.models_dir / name)
            except Timeout:
                observer(Notice(name, "is being pulled by another process and stays"))
        return freed

    def uncatalogued(self) -> list[str]:
        """Returns the names of the installed models that the catalogue lacks."""
        known = {model.id for model in self.catalogue.models}
        return sorted({manifest.parent.name for manifest in self.models_dir.glob(f"*/{MANIFEST}")} - known)

    def free_bytes(self) -> int:
        """Returns the room that is left where the models are, or would be."""
        folder = self.models_dir.absolute()
        while not folder.is_dir():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def _pull(self, model: Model, observer: Observer) -> Pulled:
        started = time.monotonic()
        if (source := self._intact_source(model)) and self._installation(model.id).describes(model, source):
            return Pulled(model.id, source.kind, _size(model, source), 0, 0.0)
        with self._disk_errors(model.id), self._lock(model, observer):
            # Another process may have pulled it while this one waited for the lock.
            if source := self._intact_source(model):
                self._installation(model.id).record(model, source)
                return Pulled(model.id, source.kind, _size(model, source), 0, time.monotonic() - started)
            reasons: list[str] = []
            is_corrupt = is_reached = False
            for source in self._candidates(model):
                try:
                    downloaded = self._install(model, source, observer)
                except FetchError as error:
                    reasons.append(f"from {source.kind}: {error}")
                    is_corrupt = is_corrupt or isinstance(error, CorruptFile)
                    is_reached = is_reached or not isinstance(error, SourceUnreachable)
                    observer(Notice(model.id, f"can't be had from {source.kind}: {error}"))
                    continue
                observer(Progress(model.id, Phase.DONE, downloaded, downloaded))
                return Pulled(
                    model.id, source.kind, _size(model, source), downloaded, time.monotonic() - started
                )
        if is_corrupt:
            raise ModelCorrupt(model.id, reasons)
        if reasons and not is_reached:
            raise ModelSourcesUnreachable(model.id, reasons, str(self.models_dir))
        raise ModelDownloadFailed(
            model.id, reasons or [f"it has no source of the kind {self._settings.source}"]
        )

    def _install(self, model: Model, source: ModelSource, observer: Observer) -> int:
        """Makes the model's folder what this source says. Returns the bytes of the download."""
        installation = self._installation(model.id)
        needed = [file for file in model.files_from(source) if installation.problem(file)]
        work = plan(self.catalogue, source, needed)
        if needed:
            if self._offline:
                raise ModelMissingOffline(model.id)
            staging = self.models_dir / PARTIAL / model.id / source.kind
            staging.mkdir(parents=True, exist_ok=True)
            self._check_room(model, work.peak_bytes, staging)

            def report(phase: Phase, done: int) -> None:
                observer(Progress(model.id, phase, done, work.download_bytes))

            # Imported here because its HTTP, index and hub clients take a second to import.
            from recordroute_models.fetch import fetch

            fetch(work, staging, self._settings, self._reached, report)
            installation.retract()
            for file in needed:
                installation.add(staging / file.path, file)
        installation.record(model, source)
        _remove(self.models_dir / PARTIAL / model.id)
        return work.download_bytes

    def _usable(self, model: Model) -> list[ModelSource]:
        return [source for source in model.sources if source.needs <= self._features]

    def _candidates(self, model: Model) -> list[ModelSource]:
        """Returns the first usable source of each kind that the settings allow, in the catalogue's order."""
        first: dict[str, ModelSource] = {}
        for source in self._usable(model):
            if self._settings.source in ("auto", source.kind):
                first.setdefault(source.kind, source)
        return list(first.values())

    def _intact_source(self, model: Model) -> ModelSource | None:
        """Returns the source whose files are installed and untouched since they were checked."""
        installation = self._installation(model.id)
        manifest = installation.manifest()
        if manifest is None:
            return None
        # Sources can have the same files: the one that they came from is the one to name.
        for source in sorted(self._usable(model), key=lambda source: source.kind != manifest.source):
            if all(installation.unchanged(manifest, file) for file in model.files_from(source)):
                return source
        return None

    def _installation(self, model_id: str) -> Installation:
        return Installation(self.models_dir / model_id)

    def _file_lock(self, name: str, timeout: float) -> FileLock:
        folder = self.models_dir / PARTIAL
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{name}.lock", timeout=timeout)

    @contextmanager
    def _lock(self, model: Model, observer: Observer) -> Iterator[None]:
        lock = self._file_lock(model.id, timeout=-1)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            observer(Notice(model.id, "is being pulled by another process; waiting for it"))
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _disk_errors(self, model_id: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ModelsFolderFull(model_id, str(self.models_dir)) from error
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
                raise ModelsFolderUnwritable(str(self.models_dir), error.strerror or str(error)) from error
            raise

    def _check_room(self, model: Model, peak_bytes: int, staging: Path) -> None:
        there = sum(file.stat().st_size for file in staging.iterdir())
        lacking = peak_bytes + SPARE_BYTES - there - shutil.disk_usage(staging).free
        if lacking > 0:
            raise ModelsFolderFull(model.id, str(self.models_dir), lacking)


def _size(model: Model, source: ModelSource) -> int:
    return sum(file.size for file in model.files_from(source))


def _remove(folder: Path) -> int:
    """Deletes a folder and returns the bytes that its files took."""
    if not folder.exists():
        return 0
    freed = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    shutil.rmtree(folder)
    return freed
