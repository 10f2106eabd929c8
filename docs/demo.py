"""Draws docs/demo.svg: `recordroute demo` in a terminal of its own, as it looked when it was done.

Needs tmux. Run it with the models installed: `.venv/bin/python docs/demo.py`.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, LINES = 100, 66
SOCKET = "recordroute-demo"


def tmux(*arguments: str) -> str:
    done = subprocess.run(["tmux", "-L", SOCKET, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = f"cd {ROOT}; RECORDROUTE_DATA_DIR={folder} {ROOT}/.venv/bin/recordroute demo; sleep 60"
        tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), command)
        try:
            while "Ctrl-C" not in (screen := tmux("capture-pane", "-p", "-e")):
                time.sleep(0.5)
            tmux("send-keys", "C-c")
            time.sleep(5)
        finally:
            tmux("kill-server")
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi("$ make run\n" + screen.rstrip()))
    # A picture that asks a font server who looks at it is not ours to publish.
    template = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    console.save_svg(str(ROOT / "docs/demo.svg"), title="RecordRoute", code_format=template)


if __name__ == "__main__":
    main()
