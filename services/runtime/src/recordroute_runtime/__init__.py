"""What every service stands on."""

import os

# Before anything imports onnxruntime, which else sends its makers what it is used for, under an id that it keeps in the
# home folder.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
