"""Who said what: speech segmentation, speaker embeddings and clustering, without torch.

The pipeline is that of https://arxiv.org/abs/2310.13025 with voices in short windows: a segmentation network finds
speech, overlap and changes of speaker within ten seconds; voices are taken from the speech of one person at a time,
clustered over the whole recording, and the people found are laid over the segmentation.
"""

from recordroute_stt.diarization.channels import ChannelVoices, voices_by_channel
from recordroute_stt.diarization.diarizer import DiarizationRun, Diarizer
from recordroute_stt.diarization.result import Diarization, SpeakerVoice, numbered_by_words
from recordroute_stt.diarization.words import label_segments

__all__ = [
    "ChannelVoices",
    "Diarization",
    "DiarizationRun",
    "Diarizer",
    "SpeakerVoice",
    "label_segments",
    "numbered_by_words",
    "voices_by_channel",
]
