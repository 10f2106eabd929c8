"""The catalogue: which models there are, and where each of their files comes from."""

from __future__ import annotations

import tomllib
from collections import Counter
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from recordroute_models.errors import CatalogueInvalid, ModelUnknown

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
Size = Annotated[int, Field(gt=0)]
Task = Literal["stt", "llm", "embedding"]
Converter = Literal["e5-int8", "e5-int4"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileSpec(_Entry):
    """A file of an installed model, by name in the model's folder."""

    path: FileName
    size: Size
    sha256: Sha256


class Wheel(_Entry):
    """A wheel of a package index."""

    project: Identifier
    version: str
    filename: FileName
    size: Size
    sha256: Sha256


class Part(_Entry):
    """A member of a wheel; its bytes are a part of a file, or all of it."""

    wheel: Identifier
    member: str
    size: Size


class PackageSource(_Entry):
    """Wheels that carry the model. `parts` names the members that make up each file, one after another."""

    kind: Literal["packages"]
    files: tuple[FileSpec, ...] = ()
    parts: dict[FileName, tuple[Part, ...]]
    converters: dict[FileName, Converter] = {}
    needs: frozenset[str] = frozenset()
    parameters: dict[str, Any] = {}

    def provides(self) -> set[str]:
        return set(self.parts)


class HubSource(_Entry):
    """A repository of a model hub at a commit; `renamed` maps names of files to the repository's paths."""

    kind: Literal["hub"]
    files: tuple[FileSpec, ...] = ()
    repository: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
    renamed: dict[FileName, str] = {}
    needs: frozenset[str] = frozenset()
    parameters: dict[str, Any] = {}

    def path_of(self, file: FileSpec) -> str:
        """Returns the file's path in the repository."""
        return self.renamed.get(file.path, file.path)


ModelSource = Annotated[PackageSource | HubSource, Field(discriminator="kind")]


class Model(_Entry):
    """A model. `default` ones are fetched where nobody names any, `for_tests` ones to run the tests."""

    id: Identifier
    task: Task
    description: str
    license: str
    languages: tuple[str, ...]
    default: bool = False
    for_tests: bool = False
    parameters: dict[str, Any] = {}
    files: tuple[FileSpec, ...] = ()
    sources: tuple[ModelSource, ...] = Field(min_length=1)

    def files_from(self, source: ModelSource) -> tuple[FileSpec, ...]:
        """Returns all files of the model as this source has them."""
        return (*source.files, *self.files)

    def parameters_from(self, source: ModelSource) -> dict[str, Any]:
        """Returns what the model's engine must know of the files of this source."""
        return {**self.parameters, **source.parameters}

    @model_validator(mode="after")
    def _each_source_has_each_file_once(self) -> Model:
        for source in self.sources:
            names = [file.path for file in self.files_from(source)]
            if len(set(names)) != len(names) or not names:
                raise ValueError(f"{self.id}: a {source.kind} source has no files, or one of them twice")
            if isinstance(source, PackageSource) and source.provides() != set(names):
                raise ValueError(f"{self.id}: parts and files of a packages source differ")
            if isinstance(source, HubSource) and not set(source.renamed) <= set(names):
                raise ValueError(f"{self.id}: a renamed file of the hub source is none of the model's")
        return self

    @model_validator(mode="after")
    def _parts_add_up(self) -> Model:
        for source in self.sources:
            if not isinstance(source, PackageSource):
                continue
            sizes = {file.path: file.size for file in self.files_from(source)}
            for path, parts in source.parts.items():
                if path in source.converters:
                    if len(parts) != 1:
                        raise ValueError(f"{self.id}: a converter takes one member, {path} has {len(parts)}")
                elif sum(part.size for part in parts) != sizes[path]:
                    raise ValueError(f"{self.id}: the parts of {path} don't add up to its size")
            if not set(source.converters) <= set(source.parts):
                raise ValueError(f"{self.id}: a converted file has no parts")
        return self


class Catalogue(_Entry):
    """All models, and the wheels that their package sources name."""

    models: tuple[Model, ...]
    wheels: tuple[Wheel, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique_and_known(self) -> Catalogue:
        for names in ([model.id for model in self.models], [wheel.project for wheel in self.wheels]):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise ValueError(f"named twice: {', '.join(twice)}")
        known = {wheel.project for wheel in self.wheels}
        used = {
            part.wheel
            for model in self.models
            for source in model.sources
            if isinstance(source, PackageSource)
            for parts in source.parts.values()
            for part in parts
        }
        if used != known:
            raise ValueError(f"wheels named in only one place: {', '.join(sorted(used ^ known))}")
        for wheel in self.wheels:
            if PurePosixPath(wheel.filename).suffix != ".whl":
                raise ValueError(f"{wheel.filename} is no wheel")
        return self

    def model(self, model_id: str) -> Model:
        """Returns the model. Raises ModelUnknown."""
        for model in self.models:
            if model.id == model_id:
                return model
        raise ModelUnknown(model_id, (model.id for model in self.models))

    def wheel(self, project: str) -> Wheel:
        """Returns the wheel of a project that a part names."""
        return next(wheel for wheel in self.wheels if wheel.project == project)

    def defaults(self) -> tuple[str, ...]:
        """Returns the ids of the models that are fetched where nobody names any."""
        return tuple(model.id for model in self.models if model.default)

    def for_tests(self) -> tuple[str, ...]:
        """Returns the ids of the models that the tests need beside the default ones."""
        return tuple(model.id for model in self.models if model.for_tests)


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Reads a catalogue file, or the one that comes along. Raises CatalogueInvalid with every problem."""
    file = path or resources.files("recordroute_models") / "catalogue.toml"
    try:
        return Catalogue.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueInvalid(f"the model catalogue {file} can't be read: {error}") from error
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()
        ]
        raise CatalogueInvalid(f"the model catalogue {file} is wrong: {'; '.join(problems)}") from error
