"""Generates the checked-in stubs from protos/; with --check, says which of them are stale and exits 1."""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

GEN = Path(__file__).resolve().parent
ROOT = GEN.parent
INCLUDES = (ROOT / "protos", ROOT / "third_party/protos")
WELL_KNOWN = Path(protoc.__file__).parent / "_proto"


def generate(target: Path) -> None:
    """Writes every stub below `target`. Raises SystemExit where protoc refuses a file."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    files = sorted(str(path) for include in INCLUDES for path in include.rglob("*.proto"))
    services = [name for name in files if "\nservice " in Path(name).read_text()]
    paths = [f"-I{include}" for include in (*INCLUDES, WELL_KNOWN)]
    messages = [f"--python_out={target}", f"--pyi_out={target}"]
    stubs = [f"--grpc_python_out={target}", f"--mypy_grpc_out={target}"]
    for outputs, inputs in ((messages, files), (stubs, services)):
        if protoc.main(["protoc", *paths, *outputs, *inputs]) != 0:
            raise SystemExit("protoc refused the contract: see above")


def stubs_below(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*_pb2*.py*") if path.suffix != ".pyc"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        wanted, present = stubs_below(fresh), stubs_below(GEN)
        stale = sorted(
            path
            for path in wanted | present
            if path not in wanted
            or path not in present
            or not filecmp.cmp(fresh / path, GEN / path, shallow=False)
        )
        if check:
            if stale:
                raise SystemExit("stale stubs, run `make protos`:\n" + "\n".join(map(str, stale)))
            return
        for path in stale:
            if path in wanted:
                (GEN / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(fresh / path, GEN / path)
            else:
                (GEN / path).unlink()


if __name__ == "__main__":
    main()
