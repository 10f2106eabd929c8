"""What the parts of LibraryService share."""

from __future__ import annotations

from dataclasses import dataclass

from recordroute_gateway.clients.vector import VectorClient
from recordroute_gateway.database import Database
from recordroute_gateway.index_keeper import IndexKeeper
from recordroute_gateway.library.archive_export import LibraryExporter
from recordroute_gateway.library.archive_import import LibraryImporter
from recordroute_gateway.library.bin import Bin
from recordroute_gateway.library.edits import RecordingEditor
from recordroute_gateway.library.minutes_edits import MinutesEditor
from recordroute_gateway.library.revisions import RevisionStore
from recordroute_gateway.library.sharing import ShareStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.waveform import WaveformStore
from recordroute_gateway.removal import Removal
from recordroute_gateway.workflow.engine import WorkflowEngine
from recordroute_gateway.workflow.store import WorkflowStore


@dataclass(frozen=True)
class LibraryParts:
    """The stores and clients that LibraryService works with."""

    database: Database
    library: LibraryStore
    workflows: WorkflowStore
    engine: WorkflowEngine
    vector: VectorClient
    editor: RecordingEditor
    bin: Bin
    removal: Removal
    keeper: IndexKeeper
    shares: ShareStore
    waveforms: WaveformStore
    revisions: RevisionStore
    minutes: MinutesEditor
    exporter: LibraryExporter
    importer: LibraryImporter


class LibraryCalls:
    """Base of each part."""

    def __init__(self, parts: LibraryParts) -> None:
        self._parts = parts
