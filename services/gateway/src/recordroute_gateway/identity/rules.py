"""What each RPC of the gateway needs of its caller, and whether the audit log has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from recordroute_gateway.identity.caller import Scope

PACKAGE = "recordroute.gateway.v1"


@dataclass(frozen=True)
class Rule:
    """`scope` None: whoever is known may. `is_piece`: one of many calls that make up one action (the chunks of an
    upload); the action is in the audit log, its pieces are not, and they don't count for the rate."""

    scope: Scope | None
    audited: bool = False
    is_piece: bool = False


_KNOWN = Rule(None)
_READ = Rule(Scope.READ)
_DOWNLOAD = Rule(Scope.READ, audited=True)
_WRITE = Rule(Scope.WRITE, audited=True)
_PIECE = Rule(Scope.WRITE, is_piece=True)
_ADMIN = Rule(Scope.ADMIN, audited=True)

# An RPC that is missing here is refused, whoever calls.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "IdentityService/GetCaller": _KNOWN,
        "IdentityService/CreateApiKey": _WRITE,
        "IdentityService/ListApiKeys": _READ,
        "IdentityService/RevokeApiKey": _WRITE,
        "IdentityService/ListAuditEvents": _READ,
        "LibraryService/GetRecording": _READ,
        "LibraryService/ListRecordings": _READ,
        "LibraryService/ListFacets": _READ,
        "LibraryService/UpdateRecording": _WRITE,
        "LibraryService/DeleteRecording": _WRITE,
        "LibraryService/RestoreRecording": _WRITE,
        "LibraryService/BulkEdit": _WRITE,
        "LibraryService/GetTranscript": _READ,
        "LibraryService/EditTranscript": _WRITE,
        "LibraryService/ListTranscriptRevisions": _READ,
        "LibraryService/RevertTranscript": _WRITE,
        "LibraryService/GetMinutes": _READ,
        "LibraryService/EditMinutes": _WRITE,
        "LibraryService/GetWaveform": _READ,
        "LibraryService/DownloadArtifact": _DOWNLOAD,
        "LibraryService/Export": _DOWNLOAD,
        "LibraryService/ExportLibrary": _DOWNLOAD,
        "LibraryService/ImportLibrary": _WRITE,
        "LibraryService/ShareRecording": _WRITE,
        "LibraryService/UnshareRecording": _WRITE,
        "LibraryService/ListShares": _READ,
        "LiveService/StreamingTranscribe": _WRITE,
        "LiveService/OpenLiveSession": _WRITE,
        "LiveService/PushLiveAudio": _PIECE,
        "LiveService/AddLiveBookmark": _WRITE,
        "LiveService/ListLiveSessions": _READ,
        "ModelService/ListModels": _READ,
        "ModelService/PullModel": _ADMIN,
        "ModelService/CancelPull": _ADMIN,
        "ModelService/RemoveModel": _ADMIN,
        "ModelService/UseModel": _ADMIN,
        "SearchService/Search": _READ,
        "SearchService/FindSimilar": _READ,
        "SearchService/Ask": _READ,
        "SystemService/GetSystemStatus": _READ,
        "SystemService/Backup": _ADMIN,
        "TemplateService/ListTemplates": _READ,
        "TemplateService/PutTemplate": _WRITE,
        "TemplateService/DeleteTemplate": _WRITE,
        "UploadService/UploadRecording": _WRITE,
        "UploadService/CreateUpload": _WRITE,
        "UploadService/GetUpload": _READ,
        "UploadService/UploadChunk": _PIECE,
        "UploadService/CompleteUpload": _WRITE,
        "UploadService/AbortUpload": _WRITE,
        "VocabularyService/ListTerms": _READ,
        "VocabularyService/AddTerms": _WRITE,
        "VocabularyService/RemoveTerms": _WRITE,
        "VoiceService/RememberVoice": _WRITE,
        "VoiceService/ListVoices": _READ,
        "VoiceService/DeleteVoice": _WRITE,
        "WatchService/WatchLibrary": _READ,
        "WebhookService/CreateWebhook": _WRITE,
        "WebhookService/ListWebhooks": _READ,
        "WebhookService/DeleteWebhook": _WRITE,
        "WorkflowService/StartWorkflow": _WRITE,
        "WorkflowService/GetWorkflow": _READ,
        "WorkflowService/ListWorkflows": _READ,
        "WorkflowService/CancelWorkflow": _WRITE,
        "WorkflowService/RetryWorkflow": _WRITE,
        "WorkflowService/WatchWorkflow": _READ,
        "WorkflowService/StartWorkflows": _WRITE,
    }
)


def action_of(method: str) -> str:
    """Returns the name in the table of a method's path: "/recordroute.gateway.v1.X/Y" is "X/Y"."""
    return method.removeprefix(f"/{PACKAGE}.")


def piece_methods() -> frozenset[str]:
    """Returns the paths of the methods that are called once for each piece."""
    return frozenset(f"/{PACKAGE}.{action}" for action, rule in RULES.items() if rule.is_piece)
