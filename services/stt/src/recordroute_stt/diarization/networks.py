"""The two networks of diarization: who speaks within ten seconds, and what a voice is like."""

from __future__ import annotations

from importlib import resources

import kaldi_native_fbank
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from recordroute_stt.engine import SAMPLE_RATE, Samples

CHUNK_SAMPLES = 10 * SAMPLE_RATE
"""Length of the audio that the segmentation network hears at once."""
CHUNK_FRAMES = 589
FRAME_SAMPLES = 270
FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE
FIRST_FRAME_CENTRE = 495
"""Sample of the chunk in the middle of what the first frame sees; each frame sees 991 samples."""
LOCAL_SPEAKERS = 3
"""How many people the network tells apart in one chunk, at most two of them at the same time."""

FEATURES = 80
FEATURE_SHIFT = 160
FEATURE_SAMPLES = 400
"""A feature frame is 25 ms long; they begin 10 ms apart."""

EMBEDDING_SIZE = 192

# The classes of the powerset: nobody, each speaker alone, each pair.
POWERSET = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=np.bool_
)


def _session(file: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Chunks hold speech of any length: an arena would keep the largest of every layer.
    options.enable_cpu_mem_arena = False
    network = resources.files(__package__).joinpath("models").joinpath(file).read_bytes()
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


class SegmentationNetwork:
    """pyannote's segmentation 3.0 (https://arxiv.org/abs/2310.13025): a class of the powerset for each frame."""

    def __init__(self, *, threads: int) -> None:
        self._session = _session("segmentation.onnx", threads)

    def __call__(self, chunk: Samples) -> NDArray[np.bool_]:
        """Returns who speaks in each frame, shape (CHUNK_FRAMES, LOCAL_SPEAKERS), of CHUNK_SAMPLES of audio."""
        (log_probabilities,) = self._session.run(None, {"audio": chunk[None, None]})
        classes: NDArray[np.intp] = log_probabilities[0].argmax(axis=-1)
        return POWERSET[classes]


class SpeakerNetwork:
    """CAM++ (https://arxiv.org/abs/2303.00332) as trained on Chinese and English by 3D-Speaker."""

    def __init__(self, *, threads: int) -> None:
        self._session = _session("speaker.onnx", threads)

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the voice in filter-bank features, shape (frames, FEATURES): (EMBEDDING_SIZE,), unit length."""
        centred = features - features.mean(axis=0)
        (embeddings,) = self._session.run(None, {"features": centred[None]})
        return np.asarray(embeddings[0] / np.linalg.norm(embeddings[0]), np.float32)


def filter_bank(audio: Samples) -> NDArray[np.float32]:
    """Returns Kaldi's log-mel filter-bank features, shape (frames, FEATURES): whole frames only."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.mel_opts.num_bins = FEATURES
    computer = kaldi_native_fbank.OnlineFbank(options)
    # Kaldi's scale: full scale is that of 16-bit integers.
    computer.accept_waveform(SAMPLE_RATE, audio * 32768)
    frames = [computer.get_frame(index) for index in range(computer.num_frames_ready)]
    return np.stack(frames) if frames else np.zeros((0, FEATURES), np.float32)
