"""What the tests of the vector service share: one loaded model, and texts whose meaning is plain."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from recordroute_runtime.models import find_model
from recordroute_vector.domain import Passage, SparseVector
from recordroute_vector.encoder import Encoder
from recordroute_vector.index.port import IndexedPassage
from recordroute_vector.lexical import LexicalEncoder

MODEL = "multilingual-e5-small"


@pytest.fixture(scope="session")
def encoder(models_dir: Path) -> Encoder:
    return Encoder(find_model(models_dir, MODEL))


@pytest.fixture(scope="session")
def lexical() -> LexicalEncoder:
    return LexicalEncoder(average_length=192)


def passage(index: int, text: str, **values: object) -> Passage:
    return Passage(
        **{  # type: ignore[arg-type]
            "index": index,
            "text": text,
            "start": index * 10.0,
            "end": index * 10.0 + 10.0,
            "first_segment_index": index,
            "last_segment_index": index,
            "speakers": ("Kim", "Lee"),
            **values,
        }
    )


def unit_vectors(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@contextmanager
def _folder_in_memory() -> Iterator[Path]:
    """A folder in memory where the system has such: an index syncs hundreds of files, which a busy disk takes
    minutes for. To a process that is killed there is no difference."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def index_folder() -> Iterator[Path]:
    with _folder_in_memory() as folder:
        yield folder


@pytest.fixture(scope="module")
def module_index_folder() -> Iterator[Path]:
    with _folder_in_memory() as folder:
        yield folder


@pytest.fixture(scope="session")
def made_up():
    """Passages with random vectors: no model needed."""

    def make(
        texts: Sequence[str], dimensions: int = 8, seed: int = 0, **values: object
    ) -> list[IndexedPassage]:
        return [
            IndexedPassage(
                passage(index, text, **values),
                vector,
                SparseVector(
                    tuple(sorted({len(word) for word in text.split()})),
                    (1.0,) * len({len(w) for w in text.split()}),
                ),
            )
            for index, (text, vector) in enumerate(
                zip(texts, unit_vectors(len(texts), dimensions, seed), strict=True)
            )
        ]

    return make
