"""The rules of live recognition, on a virtual clock: the audio's own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordroute_runtime.errors import Overloaded
from recordroute_stt.domain import Language, Segment, Word
from recordroute_stt.engine import SAMPLE_RATE, Samples, WindowTranscript
from recordroute_stt.live.agreement import (
    LocalAgreement,
    common_prefix,
    compared,
    join,
    split_after,
    words_of,
)
from recordroute_stt.live.capacity import MAX_AHEAD_SECONDS, AudioTooFast, LiveCapacity, Pace
from recordroute_stt.live.decoding import DecodeQueue
from recordroute_stt.live.endpointing import (
    MAX_UTTERANCE,
    TAIL,
    Endpointer,
    SpeechEnded,
    SpeechStarted,
    UtteranceEnded,
    speech_end,
)
from recordroute_stt.live.outbox import Outbox
from recordroute_stt.live.recognizer import (
    FIRST_SPEECH_SECONDS,
    Decode,
    Output,
    RecognitionOptions,
    Recognizer,
    Result,
    Urgency,
)
from recordroute_stt.vad import FRAME_SECONDS

FRAME = FRAME_SECONDS
CHUNK = SAMPLE_RATE // 20


def level_detector(frames: np.ndarray) -> np.ndarray:
    """Takes the first sample of a frame as its probability of speech."""
    return frames[:, 0].copy()


def audio(*stretches: tuple[float, float]) -> Samples:
    """Makes audio of (seconds, probability of speech) stretches for `level_detector`."""
    return np.concatenate([np.full(round(s * SAMPLE_RATE), p, np.float32) for s, p in stretches])


def speech(seconds: float) -> tuple[float, float]:
    return seconds, 0.9


def silence(seconds: float) -> tuple[float, float]:
    return seconds, 0.0


def boundaries(content: Samples, silence_seconds: float = 0.5, chunk: int = CHUNK) -> list[object]:
    endpointer = Endpointer(silence_seconds, detector=level_detector)
    found: list[object] = []
    for start in range(0, len(content), chunk):
        found += endpointer.feed(content[start : start + chunk])
    return [*found, *endpointer.flush()]


def kinds(found: list[object]) -> list[type]:
    return [type(boundary) for boundary in found]


# Endpointing


def test_an_utterance_begins_and_ends_with_its_speech() -> None:
    content = audio(silence(2), speech(1), silence(1))
    started, utterance, ended = boundaries(content)
    assert isinstance(started, SpeechStarted)
    assert isinstance(utterance, UtteranceEnded)
    assert isinstance(ended, SpeechEnded)
    assert started.time == pytest.approx(2, abs=FRAME)
    assert ended.time == pytest.approx(3, abs=FRAME)
    window = utterance.window
    assert window.speech_start == pytest.approx(started.time)
    assert speech_end(window) == pytest.approx(ended.time)
    assert window.start == pytest.approx(started.time - 0.3, abs=2 * FRAME)
    assert window.end == pytest.approx(ended.time + TAIL * FRAME, abs=FRAME)
    first = round(window.start * SAMPLE_RATE)
    np.testing.assert_array_equal(window.audio, content[first : first + len(window.audio)])


@pytest.mark.parametrize(("pause", "utterances"), [(0.4, 1), (0.6, 2)])
def test_the_endpoint_silence_decides_what_is_one_utterance(pause: float, utterances: int) -> None:
    found = boundaries(audio(speech(1), silence(pause), speech(1), silence(1)))
    assert kinds(found).count(UtteranceEnded) == utterances


@pytest.mark.parametrize("seconds", [0.2, 0.5, 1.0, 3.0])
def test_the_end_is_told_when_the_silence_is_over(seconds: float) -> None:
    endpointer = Endpointer(seconds, detector=level_detector)
    content = audio(speech(1), silence(4))
    for start in range(0, len(content), CHUNK):
        if SpeechEnded in kinds(list(endpointer.feed(content[start : start + CHUNK]))):
            break
    assert endpointer.position == pytest.approx(1 + seconds, abs=CHUNK / SAMPLE_RATE + FRAME)


def test_clicks_are_no_speech() -> None:
    assert boundaries(audio(silence(1), speech(0.05), silence(1), speech(0.05), silence(2))) == []


def test_a_long_utterance_ends_at_a_short_pause() -> None:
    found = boundaries(audio(speech(8), silence(0.3), speech(2), silence(1)))
    assert kinds(found) == [SpeechStarted, UtteranceEnded, UtteranceEnded, SpeechEnded]


def test_speech_that_goes_on_soon_after_a_short_pause_is_not_heard_twice() -> None:
    found = boundaries(audio(silence(0.1), speech(6), silence(0.5), speech(1), silence(1)))
    one, other = [b.window for b in found if isinstance(b, UtteranceEnded)]
    assert one.end <= other.start
    assert other.speech_start == pytest.approx(6.6, abs=FRAME)


def test_without_a_pause_the_cut_is_where_least_speech_is_heard_and_nothing_is_lost() -> None:
    content = audio(speech(10), (0.25, 0.6), speech(20), silence(1))
    windows = [b.window for b in boundaries(content) if isinstance(b, UtteranceEnded)]
    assert windows[0].end == pytest.approx(10.125, abs=0.1)
    assert all(len(window.voiced) <= MAX_UTTERANCE for window in windows)
    assert all(one.end == pytest.approx(other.start) for one, other in itertools.pairwise(windows))
    assert speech_end(windows[-1]) == pytest.approx(30.25, abs=FRAME)


def test_speech_that_ends_right_after_a_cut_ends_once() -> None:
    found = boundaries(audio(speech(8.5), silence(5), speech(1), silence(1)), silence_seconds=3)
    assert kinds(found) == [
        SpeechStarted,
        UtteranceEnded,
        SpeechEnded,
        SpeechStarted,
        UtteranceEnded,
        SpeechEnded,
    ]


@settings(deadline=None, max_examples=50)
@given(
    stretches=st.lists(st.tuples(st.floats(0.05, 6), st.sampled_from([0.0, 0.4, 0.9])), max_size=6),
    chunk=st.sampled_from([800, 1600, 16000]),
)
def test_whatever_comes_is_bounded_and_in_order(stretches: list[tuple[float, float]], chunk: int) -> None:
    content = audio(silence(0.1), *stretches)
    endpointer = Endpointer(0.5, detector=level_detector)
    found: list[object] = []
    for start in range(0, len(content), chunk):
        found += endpointer.feed(content[start : start + chunk])
        running = endpointer.running
        assert running is None or len(running.voiced) <= MAX_UTTERANCE
    found += endpointer.flush()
    assert kinds(found).count(SpeechStarted) == kinds(found).count(SpeechEnded)
    windows = [b.window for b in found if isinstance(b, UtteranceEnded)]
    assert all(one.end <= other.start + 1e-9 for one, other in itertools.pairwise(windows))
    assert all(window.voiced.any() for window in windows)
    assert found == [] or isinstance(found[0], SpeechStarted)


# Agreement


def test_words_are_stable_once_two_hypotheses_agree() -> None:
    agreement = LocalAgreement()
    assert agreement.update(words_of("ask what")) == ("ask", " what")
    assert agreement.stable == ()
    assert agreement.update(words_of("Ask what you are")) == (" what", " you", " are")
    assert "".join(agreement.stable) == "Ask"
    assert agreement.update(words_of("ask what you can do")) == (" can", " do")
    assert "".join(agreement.stable) == "Ask what you"


def test_a_word_that_was_the_last_may_have_been_cut_off() -> None:
    agreement = LocalAgreement()
    for text in ("system", "system", "I'm not sure"):
        rest = agreement.update(words_of(text))
    assert agreement.stable == ()
    assert rest == ("I'm", " not", " sure")


def test_stable_words_stay_when_a_hypothesis_begins_otherwise() -> None:
    agreement = LocalAgreement()
    for text in ("he was not a", "he was not a", "she was not an ill man"):
        rest = agreement.update(words_of(text))
    assert agreement.stable == ("he", " was", " not")
    assert rest == (" an", " ill", " man")


def test_punctuation_and_case_do_not_matter() -> None:
    assert common_prefix(words_of("So, my fellow"), words_of("so my FELLOW Americans")) == 3
    assert compared(" don’t!") == compared("Don't")
    assert compared("...") == "..."


def test_scripts_without_spaces_agree_by_character() -> None:
    assert words_of("시청해 주셔서") == ("시청해", " 주셔서")
    assert words_of("私は猫 cat") == ("私", "は", "猫", " cat")
    assert join(["私は", "猫です"]) == "私は猫です"
    assert join(["감사합니다", "여러분"]) == "감사합니다 여러분"
    assert join(["", "a", "", "b"]) == "a b"


WORDS = st.lists(st.sampled_from(["a", "b", "c", "A", "b,"]), max_size=8)


@given(WORDS, WORDS)
def test_a_prefix_always_stands_for_the_stable_words(stable: list[str], hypothesis: list[str]) -> None:
    split = split_after(stable, hypothesis)
    assert 0 <= split <= len(hypothesis)
    if common_prefix(stable, hypothesis) == len(stable):
        assert split == len(stable)


@given(st.lists(WORDS, max_size=6))
def test_stable_words_only_grow(hypotheses: list[list[str]]) -> None:
    agreement = LocalAgreement()
    for hypothesis in hypotheses:
        before = agreement.stable
        agreement.update(hypothesis)
        assert agreement.stable[: len(before)] == before


@given(st.text())
def test_nothing_of_the_text_is_lost(text: str) -> None:
    assert "".join(words_of(text)) == text.rstrip()


# Recognition


def heard(decode: Decode, text: str, language: Language) -> WindowTranscript:
    """What an engine would return that hears `text` in a window."""
    begin, end = decode.window.speech_start, speech_end(decode.window)
    words = text.split()
    step = (end - begin) / max(1, len(words))
    timed = tuple(
        Word(f" {word}", begin + i * step, begin + (i + 1) * step, 0.9) for i, word in enumerate(words)
    )
    asked = decode.options.word_timestamps
    segment = Segment(begin, end, text, -0.2, 0.01, 1.0, timed if asked else (), language.code)
    return WindowTranscript(language, (segment,) if text else ())


class Stream:
    """Drives a recognizer in audio time with an engine that needs `cost` seconds a window and hears a word for each
    half second of speech."""

    def __init__(
        self,
        detected: Callable[[Decode], Language] = lambda _: Language("en", 1.0),
        *,
        cost: float = 0.1,
        **options: object,
    ) -> None:
        chosen = RecognitionOptions(**{"language": "en", **options})
        endpointer = Endpointer(chosen.endpoint_silence, detector=level_detector)
        self.recognizer = Recognizer(chosen, endpointer=endpointer)
        self.cost = cost
        self.detected = detected
        self.now = 0.0
        self.outputs: list[tuple[float, Output]] = []
        self.decodes: list[tuple[float, Decode]] = []
        self._running: tuple[float, Decode] | None = None

    def play(self, content: Samples) -> None:
        for start in range(0, len(content), CHUNK):
            self.now += CHUNK / SAMPLE_RATE
            self._take(self.recognizer.accept(content[start : start + CHUNK]))
            self._work()

    def end(self) -> None:
        self._take(self.recognizer.finish())
        self._work()
        while not self.recognizer.done:
            self.now += 0.01
            self._work()

    def _work(self) -> None:
        if self._running is not None and self._running[0] <= self.now:
            decode, self._running = self._running[1], None
            spoken = decode.window.speech_seconds
            text = " ".join(f"w{i}" for i in range(round(spoken * 2)))
            transcript = heard(decode, text, self.detected(decode))
            self._take(self.recognizer.decoded(decode, transcript, self.cost))
        if self._running is None and self.recognizer.wanted is not None:
            decode = self.recognizer.start()
            assert decode is not None
            self.decodes.append((self.now, decode))
            self._running = (self.now + self.cost, decode)

    def _take(self, outputs: list[Output]) -> None:
        self.outputs += [(self.now, output) for output in outputs]

    def results(self, *, final: bool) -> list[tuple[float, Result]]:
        return [
            (at, output)
            for at, output in self.outputs
            if isinstance(output, Result) and output.is_final == final
        ]


def test_interims_come_early_and_often_and_the_final_with_the_endpoint() -> None:
    stream = Stream(cost=0.1, word_timestamps=True)
    stream.play(audio(silence(1), speech(3), silence(1)))
    interims, [(final_at, final)] = stream.results(final=False), stream.results(final=True)
    assert interims[0][0] - 1 <= FIRST_SPEECH_SECONDS + 0.1 + 3 * CHUNK / SAMPLE_RATE
    gaps = [other - one for (one, _), (other, _) in itertools.pairwise(interims)]
    assert max(gaps) <= 0.7
    assert final_at - 4 <= 0.5 + FRAME + CHUNK / SAMPLE_RATE
    assert final.stable == "w0 w1 w2 w3 w4 w5"
    assert (final.unstable, final.stability, final.utterance) == ("", 1.0, 0)
    assert [word.text for word in final.words] == [" w0", " w1", " w2", " w3", " w4", " w5"]
    assert final.words[0].start == pytest.approx(1, abs=FRAME)
    assert final.words[-1].end == pytest.approx(4, abs=FRAME)
    for (_, one), (_, other) in itertools.pairwise([*interims, (final_at, final)]):
        assert other.stable.startswith(one.stable)
        assert one.stability <= 1


def test_the_hypothesis_of_the_pause_is_promoted() -> None:
    stream = Stream(cost=0.1, word_timestamps=True)
    stream.play(audio(silence(1), speech(3), silence(2)))
    assert [decode.urgency for _, decode in stream.decodes].count(Urgency.PAUSE) == 1
    assert Urgency.FINAL not in [decode.urgency for _, decode in stream.decodes]


def test_speech_that_goes_on_after_a_pause_is_decoded_again() -> None:
    stream = Stream(cost=0.1, word_timestamps=True)
    stream.play(audio(silence(1), speech(2), silence(0.3), speech(2), silence(1)))
    [(_, final)] = stream.results(final=True)
    assert final.stable.endswith("w7")
    assert [decode.urgency for _, decode in stream.decodes].count(Urgency.PAUSE) == 2


def test_a_hypothesis_that_heard_only_the_beginning_is_not_promoted() -> None:
    stream = Stream(cost=0.8)
    stream.play(audio(silence(1), speech(1), silence(1)))
    assert stream.decodes[0][1].window.speech_seconds < 0.9
    stream.end()
    [(_, final)] = stream.results(final=True)
    assert final.stable == "w0 w1"


def test_a_slow_engine_still_gives_every_final_in_order() -> None:
    stream = Stream(cost=1.5)
    stream.play(audio(silence(1), *([speech(1), silence(0.8)] * 4)))
    stream.end()
    finals = [final for _, final in stream.results(final=True)]
    assert [final.utterance for final in finals] == [0, 1, 2, 3]
    assert all(final.stable == "w0 w1" for final in finals)
    assert stream.recognizer.utterances == 4


def test_long_utterances_take_a_bounded_share_of_a_core() -> None:
    stream = Stream(cost=0.4)
    stream.play(audio(silence(1), speech(7.5), silence(1)))
    assert len(stream.decodes) * 0.4 <= 0.3 * 8.5


def test_silence_is_never_decoded() -> None:
    stream = Stream()
    stream.play(audio(silence(30)))
    stream.end()
    assert (stream.decodes, stream.outputs) == ([], [])


def test_without_interim_results_only_pauses_are_decoded() -> None:
    stream = Stream(interim_results=False)
    stream.play(audio(silence(1), speech(5), silence(1)))
    assert [decode.urgency for _, decode in stream.decodes] == [Urgency.PAUSE]
    assert not stream.results(final=False)
    assert len(stream.results(final=True)) == 1


def test_the_end_of_the_stream_ends_the_utterance() -> None:
    stream = Stream()
    stream.play(audio(silence(1), speech(2)))
    assert not stream.results(final=True)
    stream.end()
    assert len(stream.results(final=True)) == 1
    assert isinstance(stream.outputs[-2][1], SpeechEnded) or isinstance(stream.outputs[-1][1], SpeechEnded)


def test_the_language_is_kept_once_it_is_sure() -> None:
    def detected(decode: Decode) -> Language:
        return Language("de", 0.3 if decode.window.speech_seconds < 1 else 0.9)

    sure = Stream(detected, language=None)
    sure.play(audio(silence(1), speech(3), silence(1), speech(1), silence(1)))
    languages = [output for _, output in sure.outputs if isinstance(output, Language)]
    assert languages == [Language("de", 0.9)]
    first = next(index for index, (_, output) in enumerate(sure.outputs) if isinstance(output, Result))
    assert isinstance(sure.outputs[first - 1][1], Language)
    assert {decode.options.language for _, decode in sure.decodes} == {None, "de"}
    assert sure.decodes[-1][1].options.language == "de"


def test_noise_tells_no_language_and_ends_in_a_result_without_words() -> None:
    recognizer = Recognizer(
        RecognitionOptions(language=None), endpointer=Endpointer(0.5, detector=level_detector)
    )
    outputs: list[Output] = []
    content = audio(silence(1), speech(1), silence(1))
    for start in range(0, len(content), CHUNK):
        outputs += recognizer.accept(content[start : start + CHUNK])
        if recognizer.wanted is not None and (decode := recognizer.start()) is not None:
            outputs += recognizer.decoded(decode, heard(decode, "", Language("ko", 0.2)), 0.1)
    assert not [output for output in outputs if isinstance(output, Language)]
    [final] = [output for output in outputs if isinstance(output, Result)]
    assert (final.is_final, final.stable, final.language) == (True, "", "")
    assert final.average_log_probability is None
    assert recognizer.utterances == 0


# The way out


async def test_a_reader_that_stalls_gets_all_finals_and_only_the_newest_interim() -> None:
    outbox: Outbox[str] = Outbox(lambda item: item.startswith("interim"))
    for item in ("started", "interim 0a", "interim 0b", "final 0", "interim 1a", "interim 1b"):
        outbox.put(item)
    outbox.close()
    assert [item async for item in outbox.read()] == ["started", "final 0", "interim 1b"]


async def test_a_reader_gets_the_error_at_once() -> None:
    outbox: Outbox[str] = Outbox(lambda _: False)
    outbox.put("read")
    outbox.close(ValueError("broken"))
    with pytest.raises(ValueError, match="broken"):
        [item async for item in outbox.read()]


# Who decodes next


async def test_the_most_urgent_stream_comes_first_and_equals_take_turns() -> None:
    queue = DecodeQueue(1)
    order: list[str] = []
    urgencies = {"a": 2, "b": 2, "c": 1, "d": 2}

    async def decode(name: str) -> None:
        async with queue.turn(lambda: urgencies[name]):
            order.append(name)

    async with queue.turn(lambda: 0):
        waiting = [asyncio.create_task(decode(name)) for name in urgencies]
        await asyncio.sleep(0)
        urgencies["d"] = 0
    await asyncio.gather(*waiting)
    assert order == ["d", "c", "a", "b"]
    await queue.close()


async def test_a_stream_that_goes_away_gives_its_turn_back() -> None:
    queue = DecodeQueue(1)

    async def decode() -> None:
        async with queue.turn(lambda: 0):
            pass

    async with queue.turn(lambda: 0):
        gone, next_one = asyncio.create_task(decode()), asyncio.create_task(decode())
        await asyncio.sleep(0)
        gone.cancel()
    gone_too = asyncio.create_task(decode())
    gone_too.cancel()
    await asyncio.wait_for(next_one, 60)
    await asyncio.wait_for(decode(), 60)
    assert gone.cancelled()
    await queue.close()


async def test_a_cancelled_decode_is_told_to_stop_and_waited_for() -> None:
    queue = DecodeQueue(1)
    begun, ended = asyncio.Event(), []
    loop = asyncio.get_running_loop()

    def work(stopped: Callable[[], bool]) -> None:
        loop.call_soon_threadsafe(begun.set)
        while not stopped():
            pass
        ended.append(True)

    task = asyncio.create_task(queue.run(work))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]
    await queue.close()


# Capacity


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_more_streams_than_allowed_are_refused_until_one_ends() -> None:
    capacity = LiveCapacity(workers=2, max_streams=2, clock=Clock())
    with capacity.admit():
        with capacity.admit(), pytest.raises(Overloaded) as caught, capacity.admit():
            pass
        with capacity.admit():
            assert capacity.streams == 2
    assert caught.value.retry_after is not None
    assert capacity.streams == 0


@pytest.mark.parametrize(("share", "refused"), [(0.3, False), (0.9, True)])
def test_a_stream_is_refused_where_those_that_run_leave_no_room(share: float, refused: bool) -> None:
    clock = Clock()
    capacity = LiveCapacity(workers=2, max_streams=16, clock=clock)
    with capacity.admit(), capacity.admit():
        for _ in range(60):
            clock.now += 1
            capacity.decoded(delay=0.3, seconds=2 * share)
        assert capacity.load == pytest.approx(2 * share, rel=0.05)
        assert is_refused(capacity) == refused
        clock.now += 60
        assert not is_refused(capacity)


def test_a_stream_is_refused_while_others_are_late() -> None:
    clock = Clock()
    capacity = LiveCapacity(workers=2, max_streams=16, clock=clock)
    with capacity.admit():
        for _ in range(20):
            clock.now += 1
            capacity.decoded(delay=1.0, seconds=0.1)
        assert is_refused(capacity)
        clock.now += 60
        assert not is_refused(capacity)


def is_refused(capacity: LiveCapacity) -> bool:
    try:
        with capacity.admit():
            return False
    except Overloaded:
        return True


def test_audio_may_catch_up_but_not_run_ahead() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.take(MAX_AHEAD_SECONDS - 1)
    clock.now += 100
    pace.take(100)
    with pytest.raises(AudioTooFast) as caught:
        pace.take(10)
    assert caught.value.reason == "AUDIO_TOO_FAST"
    assert caught.value.retry_after is None


def test_a_clock_that_is_a_little_fast_is_fine_for_days() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.take(0.1)
    for _ in range(48):
        clock.now += 3600
        pace.take(3600 * 1.01)
