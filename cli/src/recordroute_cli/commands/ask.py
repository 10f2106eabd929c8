"""`recordroute ask` and `similar`: answers from the recordings, and recordings that are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recordroute_cli import terminal
from recordroute_cli.commands import search_conditions as conditions
from recordroute_cli.commands.library import RecordingArgument
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recordroute.gateway.v1 import search_pb2

    from recordroute_cli.client import Gateway


def ask(
    question: Annotated[list[str], typer.Argument(metavar="QUESTION", help="What you want to know.")],
    recorded_from: conditions.From = None,
    recorded_to: conditions.To = None,
    recording: conditions.Recordings = None,
    tag: conditions.Tags = None,
    folder: conditions.Folder = "",
    speaker: conditions.Speakers = None,
    language: conditions.Languages = None,
    answer_language: Annotated[
        str,
        typer.Option(
            "--answer-language", help="Language of the answer, for instance ko; the question's else."
        ),
    ] = "",
    llm_model: Annotated[
        str, typer.Option("--llm-model", help="Id of the language model; the default if not given.")
    ] = "",
    json_output: JsonOption = False,
) -> None:
    """Answer a question from the recordings. Each sentence comes with the places that it rests on."""
    from recordroute.gateway.v1 import search_pb2

    from recordroute_cli.client import connect

    request = search_pb2.AskRequest(question=" ".join(question), language=answer_language, model=llm_model)
    if not request.question.strip():
        raise CommandError("the question is empty", ExitCode.USAGE)
    with connect() as gateway:
        conditions.apply(
            gateway,
            request,
            recorded_from=recorded_from,
            recorded_to=recorded_to,
            recordings=recording,
            tags=tag,
            folder=folder,
            speakers=speaker,
            languages=language,
        )
        answer = _Answer(_stream(gateway, request), quiet=json_output)
    if json_output:
        terminal.write_json(answer.document())


def similar(
    recording: RecordingArgument,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Recordings shown at most.")] = 10,
    json_output: JsonOption = False,
) -> None:
    """Find the recordings that speak of the same as one of them."""
    from recordroute.gateway.v1 import search_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import moment, short

    with connect() as gateway:
        request = search_pb2.FindSimilarRequest(recording_id=gateway.recording_id(recording), limit=limit)
        response = gateway.call(gateway.search.FindSimilar, request)
    if json_output:
        terminal.write_json(document(response))
        return
    for found in response.recordings:
        terminal.out().print(
            f"{short(found.recording.id)}  {found.similarity:.2f}  {moment(found.recording.recorded_at)}  "
            f"{plain(found.recording.title)}",
            soft_wrap=True,
        )
    if not response.recordings:
        terminal.note("nothing is like it")


def _stream(gateway: Gateway, request: search_pb2.AskRequest) -> Iterator[search_pb2.AskResponse]:
    call = gateway.search.Ask(request)
    try:
        with gateway.translated():
            yield from call
    finally:
        # Ctrl-C stops the model as well.
        call.cancel()


class _Answer:
    """An answer, printed as it comes. Places are numbered in the order in which the sentences name them."""

    def __init__(self, parts: Iterator[search_pb2.AskResponse], *, quiet: bool) -> None:
        from recordroute.gateway.v1 import search_pb2

        self.sources = search_pb2.AskSources()
        self.sentences: list[search_pb2.AskSentence] = []
        self.result = search_pb2.AskResult()
        # By source and first character: two parts of one passage are two places.
        self.places: dict[tuple[int, int], search_pb2.AskCitation] = {}
        for part in parts:
            match part.WhichOneof("payload"):
                case "sources":
                    self.sources = part.sources
                case "sentence":
                    self._add(part.sentence, quiet)
                case "result":
                    self.result = part.result
        if not quiet:
            self._print_places()

    def _add(self, sentence: search_pb2.AskSentence, quiet: bool) -> None:
        self.sentences.append(sentence)
        for cited in sentence.citations:
            self.places.setdefault((cited.source_index, cited.range.start), cited)
        if not quiet:
            numbers = "".join(f"[{number}]" for number in self._numbers(sentence))
            # As it comes: a person reads while the model writes on.
            print(f"{plain(sentence.text)} {numbers}", flush=True)

    def _numbers(self, sentence: search_pb2.AskSentence) -> list[int]:
        order = list(self.places)
        return [order.index((cited.source_index, cited.range.start)) + 1 for cited in sentence.citations]

    def _print_places(self) -> None:
        from recordroute_cli.render import moment, place_of, short

        if not self.result.found:
            terminal.note("the recordings do not hold the answer")
        if self.places:
            print()
        for number, cited in enumerate(self.places.values(), 1):
            source = self.sources.sources[cited.source_index]
            quote = source.text[cited.range.start : cited.range.end]
            head = f"[{number}] {short(source.recording_id)}  {plain(source.recording_title)}"
            head += f"  {place_of(source, cited.start)}"
            if source.HasField("recorded_at"):
                head += f"  {moment(source.recorded_at)}"
            terminal.out().print(f"{head}  “{plain(quote)}”", soft_wrap=True)

    def document(self) -> dict[str, Any]:
        from recordroute_runtime.documents import document

        return {
            "standalone_question": self.sources.standalone_question,
            "found": self.result.found,
            "model": self.result.model,
            "sentences": [document(sentence) for sentence in self.sentences],
            "sources": [document(source) for source in self.sources.sources],
        }
