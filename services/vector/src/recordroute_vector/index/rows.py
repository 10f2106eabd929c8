"""Rows of the index as bytes: what stands in the journal, in a snapshot, and between the processes.

A block is the length of its header (u32, little-endian), the header in JSON, and then the arrays of all rows, little-
endian: dense vectors (float32), term ids (uint32), term weights (float32), token vectors (float16).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recordroute_vector.domain import Passage, SparseVector
from recordroute_vector.index.port import Document, Matrix, Vector

_LENGTH = struct.Struct("<I")
_DENSE, _IDS, _WEIGHTS, _TOKENS = "<f4", "<u4", "<f4", "<f2"


@dataclass(frozen=True)
class Row:
    """A passage of one version of a document; a document's versions are told apart while one replaces another."""

    document: Document
    version: str
    passage: Passage
    dense: Vector
    lexical: SparseVector
    tokens: Matrix | None = None


def encode_rows(rows: Sequence[Row]) -> bytes:
    """Returns the block of the rows, all of one dimension."""
    header = {
        "dimensions": len(rows[0].dense) if rows else 0,
        "rows": [
            {
                "document": asdict(row.document),
                "version": row.version,
                "passage": asdict(row.passage),
                "terms": len(row.lexical.ids),
                "tokens": -1 if row.tokens is None else len(row.tokens),
            }
            for row in rows
        ],
    }
    head = json.dumps(header, ensure_ascii=False).encode()
    arrays: list[npt.NDArray[Any]] = []
    if rows:
        arrays.append(np.asarray([row.dense for row in rows], _DENSE))
        arrays.append(np.concatenate([np.asarray(row.lexical.ids, _IDS) for row in rows]))
        arrays.append(np.concatenate([np.asarray(row.lexical.weights, _WEIGHTS) for row in rows]))
        arrays += [np.asarray(row.tokens, _TOKENS) for row in rows if row.tokens is not None]
    return b"".join((_LENGTH.pack(len(head)), head, *(array.tobytes() for array in arrays)))


def decode_rows(block: bytes) -> list[Row]:
    """Returns the rows of a block. Raises ValueError where it is none."""
    try:
        (length,) = _LENGTH.unpack_from(block)
        header = json.loads(block[_LENGTH.size : _LENGTH.size + length])
        entries, dimensions = header["rows"], header["dimensions"]
        terms = [entry["terms"] for entry in entries]
        offset = _LENGTH.size + length

        def take(kind: str, count: int) -> npt.NDArray[Any]:
            nonlocal offset
            array = np.frombuffer(block, kind, count, offset)
            offset += array.nbytes
            return array

        dense = take(_DENSE, len(entries) * dimensions).reshape(len(entries), dimensions)
        ids, weights = take(_IDS, sum(terms)).tolist(), take(_WEIGHTS, sum(terms)).tolist()
        rows, first = [], 0
        for entry, vector, count in zip(entries, dense, terms, strict=True):
            tokens = None
            if entry["tokens"] >= 0:
                flat = take(_TOKENS, entry["tokens"] * dimensions)
                tokens = flat.reshape(entry["tokens"], dimensions).astype(np.float32)
            lexical = SparseVector(tuple(ids[first : first + count]), tuple(weights[first : first + count]))
            first += count
            rows.append(
                Row(
                    _document(entry["document"]),
                    str(entry["version"]),
                    _passage(entry["passage"]),
                    vector,
                    lexical,
                    tokens,
                )
            )
    except (struct.error, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a block of rows: {error}") from error
    if offset != len(block):
        raise ValueError("a block of rows has bytes left")
    return rows


def _document(values: dict[str, Any]) -> Document:
    return Document(**{**values, "tags": tuple(values["tags"])})


def _passage(values: dict[str, Any]) -> Passage:
    return Passage(**{**values, "speakers": tuple(values["speakers"])})
