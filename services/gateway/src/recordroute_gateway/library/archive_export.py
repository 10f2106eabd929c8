"""Writes recordings with everything that belongs to them as one archive, while it is read."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import BinaryIO

from recordroute_gateway.library.archive import (
    FILE_NAMES,
    FORMAT,
    MANIFEST,
    VOCABULARY,
    ArchivedFile,
    ArchivedRecording,
    ArchivedRevision,
    ArchivedTerm,
    Manifest,
)
from recordroute_gateway.library.byte_pipe import written_by
from recordroute_gateway.library.intake import clean_file_name
from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording
from recordroute_gateway.library.revisions import Revision, RevisionStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.vocabulary import VocabularyStore

PAGE = 200
# What is compressed already.
STORED = (ArtifactKind.MEDIA, ArtifactKind.EMBEDDINGS)


class LibraryExporter:
    """Makes archives."""

    def __init__(self, library: LibraryStore, revisions: RevisionStore, vocabulary: VocabularyStore) -> None:
        self._library = library
        self._revisions = revisions
        self._vocabulary = vocabulary

    async def stream(self, user: str, recording_ids: Sequence[str]) -> AsyncGenerator[bytes]:
        """Returns the bytes of the archive of these recordings, or of all the user's own outside the bin.

        What is deleted while it is written is left out. Raises NotFound (RECORDING_NOT_FOUND).
        """
        if recording_ids:
            for recording_id in recording_ids:
                await self._library.get(user, recording_id)
        ids = list(recording_ids) or await self._own(user)
        terms = await self._terms(user)
        loop = asyncio.get_running_loop()

        def write(file: BinaryIO) -> None:
            entries = []
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for recording_id in ids:
                    entry = asyncio.run_coroutine_threadsafe(self._read(user, recording_id), loop).result()
                    if entry is not None:
                        entries.append(self._write(archive, *entry, loop))
                archive.writestr(VOCABULARY, json.dumps(terms, default=vars, ensure_ascii=False))
                manifest = Manifest(
                    FORMAT, version("recordroute-gateway"), datetime.now(UTC).isoformat(), tuple(entries)
                )
                archive.writestr(MANIFEST, manifest.to_json())

        return written_by(write)

    async def _own(self, user: str) -> list[str]:
        ids, token = [], ""
        while True:
            page, token = await self._library.list_page(user, PAGE, token)
            ids += [recording.id for recording in page if recording.owner == user]
            if not token:
                return ids

    async def _terms(self, user: str) -> list[ArchivedTerm]:
        terms: list[ArchivedTerm] = []
        token = ""
        while True:
            page, token = await self._vocabulary.list_page(user, PAGE, token)
            terms += [ArchivedTerm(term.text, term.heard_as) for term in page]
            if not token:
                return terms

    async def _read(self, user: str, recording_id: str) -> tuple[Recording, list[Revision]] | None:
        recording = (await self._library.get_many(user, [recording_id])).get(recording_id)
        if recording is None:
            return None
        revisions: list[Revision] = []
        if recording.artifact(ArtifactKind.TRANSCRIPT) is not None:
            token = ""
            while True:
                page, token = await self._revisions.list_page(recording, PAGE, token)
                revisions += page
                if not token:
                    break
        # A transcript that was never edited is its only revision.
        return recording, revisions[::-1] if len(revisions) > 1 else []

    def _write(
        self,
        archive: zipfile.ZipFile,
        recording: Recording,
        revisions: Sequence[Revision],
        loop: asyncio.AbstractEventLoop,
    ) -> ArchivedRecording:
        folder = f"recordings/{recording.id}"
        files: list[ArchivedFile] = []
        for artifact in recording.artifacts:
            if not artifact.sha256:
                continue
            name = FILE_NAMES.get(artifact.kind, f"media/{clean_file_name(recording.file_name)}")
            path = f"{folder}/{name}"
            self._copy(archive, path, artifact, loop)
            files.append(
                ArchivedFile(artifact.kind.value, path, artifact.sha256, artifact.size_bytes, artifact.model)
            )
        kept: list[ArchivedRevision] = []
        for revision in revisions:
            path = f"{folder}/revisions/{revision.revision:04d}.json"
            data = asyncio.run_coroutine_threadsafe(self._library.blobs.get(revision.sha256), loop).result()
            archive.writestr(path, data)
            kept.append(
                ArchivedRevision(
                    revision.revision,
                    path,
                    revision.sha256,
                    len(data),
                    revision.author,
                    revision.summary,
                    revision.created_at.isoformat(),
                    revision.reverted_to,
                )
            )
        entry = ArchivedRecording.of(recording, files, kept)
        archive.writestr(f"{folder}/recording.json", json.dumps(asdict(entry), ensure_ascii=False, indent=1))
        return entry

    def _copy(
        self, archive: zipfile.ZipFile, path: str, artifact: Artifact, loop: asyncio.AbstractEventLoop
    ) -> None:
        info = zipfile.ZipInfo(path, artifact.created_at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_STORED if artifact.kind in STORED else zipfile.ZIP_DEFLATED
        info.file_size = artifact.size_bytes
        chunks = self._library.blobs.stream(artifact.sha256)
        with archive.open(info, "w", force_zip64=artifact.size_bytes > zipfile.ZIP64_LIMIT) as target:
            while True:
                chunk = asyncio.run_coroutine_threadsafe(anext(chunks, b""), loop).result()
                if not chunk:
                    break
                target.write(chunk)
