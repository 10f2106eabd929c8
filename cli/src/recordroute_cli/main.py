"""The command `recordroute`: its subcommands, and how whatever goes wrong is told."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands import (
    add,
    ask,
    backup,
    demo,
    doctor,
    download,
    edit,
    export,
    identity,
    library,
    live,
    minutes,
    models,
    organise,
    search,
    sharing,
    templates,
    transfer,
    up,
    vocabulary,
    voices,
    webhooks,
    workflows,
)
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.stop_signals import StopSignals, stop_signals

DEBUG_VARIABLE = "RECORDROUTE_DEBUG"

app = typer.Typer(
    name="recordroute",
    help="Recordings to transcripts, minutes and a searchable library, on your own machine.",
    epilog="Begin with: recordroute demo",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command("demo", epilog="Example: recordroute demo --no-keep")(demo.demo)
app.command("up", epilog="Example: recordroute up --port 7200")(up.up)
app.command("add", epilog="Example: recordroute add talk.mp3 meetings/ '*.wav' --language en")(add.add)
app.add_typer(live.app, name="live")
app.command("watch", epilog="Example: recordroute watch 1f3a9c0e")(workflows.watch)
app.command("list", epilog="Example: recordroute list --tag budget --from 2026-01-01 --sort title")(
    library.list_recordings
)
app.command("show", epilog="Example: recordroute show 1f3a9c0e --minutes")(library.show)
app.command("search", epilog="Example: recordroute search 'who pays for the venue' --from 2026-01-01")(
    search.search
)
app.command("ask", epilog="Example: recordroute ask 'who pays for the venue?' --tag budget")(ask.ask)
app.command("similar", epilog="Example: recordroute similar 1f3a9c0e --limit 5")(ask.similar)
app.command(
    "edit", epilog="Example: recordroute edit 1f3a9c0e --replace 'Confu i' ComfyUI --speaker S1=Anna"
)(edit.edit)
app.command(
    "minutes", epilog="Example: recordroute minutes 1f3a9c0e --rewrite '3=Anna books the room.' --tick 5"
)(minutes.minutes)
app.command("history", epilog="Example: recordroute history 1f3a9c0e")(edit.history)
app.command("undo", epilog="Example: recordroute undo 1f3a9c0e")(edit.undo)
app.command("cancel", epilog="Example: recordroute cancel 1f3a9c0e")(workflows.cancel)
app.command("retry", epilog="Example: recordroute retry 1f3a9c0e --detach")(workflows.retry)
app.command("redo", epilog="Example: recordroute redo 1f3a9c0e --language ko --speakers 2")(workflows.redo)
app.command("rm", epilog="Example: recordroute rm 1f3a9c0e --yes")(library.remove)
app.command("undelete", epilog="Example: recordroute undelete 1f3a9c0e")(organise.undelete)
app.command("bin", epilog="Example: recordroute bin --json")(organise.list_bin)
app.command("rename", epilog="Example: recordroute rename 1f3a9c0e 'Budget meeting'")(organise.rename)
app.command("redate", epilog="Example: recordroute redate 1f3a9c0e 2026-01-31T09:30")(organise.redate)
app.command("tag", epilog="Example: recordroute tag 1f3a9c0e 77ab --add budget --remove draft")(organise.tag)
app.command("move", epilog="Example: recordroute move 1f3a9c0e 77ab --to work/2026")(organise.move)
app.command("bookmark", epilog="Example: recordroute bookmark 1f3a9c0e 12:30 'the decision'")(
    organise.bookmark
)
app.command("labels", epilog="Example: recordroute labels --json")(organise.labels)
app.command("download", epilog="Example: recordroute download 1f3a9c0e --output talk.mp3")(download.download)
app.command("export", epilog="Example: recordroute export 1f3a9c0e --format srt --output talk.srt")(
    export.export
)
app.command("share", epilog="Example: recordroute share 1f3a9c0e minji --write")(sharing.share)
app.command("unshare", epilog="Example: recordroute unshare 1f3a9c0e minji")(sharing.unshare)
app.command("shares", epilog="Example: recordroute shares 1f3a9c0e")(sharing.shares)
app.command("whoami")(identity.whoami)
app.add_typer(identity.keys, name="keys")
app.command("audit", epilog="Example: recordroute audit 1f3a9c0e --limit 20")(identity.audit)
app.add_typer(voices.app, name="voices")
app.add_typer(vocabulary.app, name="vocabulary")
app.add_typer(templates.app, name="templates")
app.add_typer(webhooks.app, name="webhooks")
app.command("export-library", epilog="Example: recordroute export-library everything.zip")(
    transfer.export_library
)
app.command("import", epilog="Example: recordroute import everything.zip")(transfer.import_library)
app.command("backup", epilog="Example: recordroute backup library.tar")(backup.backup)
app.command("restore", epilog="Example: recordroute restore library.tar --data-dir ~/recordroute")(
    backup.restore
)
app.add_typer(models.app, name="models")
app.command("doctor", epilog="Example: recordroute doctor --json")(doctor.doctor)


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        print(f"recordroute {version('recordroute')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    terminal.reset()


def run(arguments: list[str] | None = None, stops: StopSignals | None = None) -> int:
    """Runs a command line and returns its exit code; errors have been printed, each on one line. What `stops` hears
    interrupts it."""
    try:
        with stops.interrupting() if stops is not None else contextlib.nullcontext():
            result = app(args=arguments, prog_name="recordroute", standalone_mode=False)
    except CommandError as error:
        return _report(error)
    except typer.TyperException as error:
        return _report_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        result = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough; the interpreter must not fail at flushing the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except Exception as error:  # noqa: BLE001 - the last stop: people get a sentence, never a traceback
        return _report(_unforeseen(error))
    if result == ExitCode.INTERRUPTED:
        terminal.note("interrupted")
    return result if isinstance(result, int) else ExitCode.OK


def _report(error: CommandError) -> int:
    terminal.complain(error.message)
    if terminal.json_mode():
        terminal.write_json_line({"error": error.document()})
    return error.exit_code


def _report_usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        print(message)
        return ExitCode.USAGE
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    terminal.complain(f"{message.rstrip('.')}{hint}")
    return error.exit_code


def _unforeseen(error: Exception) -> CommandError:
    from recordroute_runtime.errors import DomainError
    from recordroute_runtime.settings import SettingsError

    if isinstance(error, DomainError):
        not_found = error.status.name == "NOT_FOUND"
        return CommandError(
            error.message,
            ExitCode.NOT_FOUND if not_found else ExitCode.FAILED,
            status=error.status.name,
            reason=error.reason,
        )
    if isinstance(error, SettingsError):
        return CommandError(str(error), ExitCode.USAGE)
    if isinstance(error, OSError) and error.strerror:
        return CommandError(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exc()
    return CommandError(
        f"recordroute itself failed, please report it: {type(error).__name__}: {error}; "
        f"{DEBUG_VARIABLE}=1 prints where"
    )


def main() -> None:
    """The entry point of the package."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    with stop_signals() as stops:
        code = run(stops=stops)
    if stops.last in (signal.SIGTERM, signal.SIGHUP):
        # Whoever started this process is to see what ended it.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        signal.raise_signal(stops.last)
    sys.exit(code)


if __name__ == "__main__":
    main()
