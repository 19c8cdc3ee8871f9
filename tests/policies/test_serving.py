"""Several askers in one batch: each hears what it would hear alone, nobody waits for a long question, and the line is told."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from engine.policies.base import InLine, never


@pytest.fixture(scope="module")
def backbone(random_model):
    import torch

    from engine.backbone.loading import load_backbone

    return load_backbone(str(random_model("qwen3_vl")), quantization="none", dtype=torch.float32, protocol="studio")


def opened(backbone, number: int, words: int = 3):
    from engine.backbone.session import Session
    from tests.backbone.test_session import picture

    session = Session(backbone, seed=number)
    session.append_user([picture(number, 60 + 20 * (number % 4)), "What is written? " * words])
    return session


def serving(backbone, seats: int = 8):
    from engine.policies.serving import Serving

    return Serving(backbone, seats, patience_s=0.01, linger_s=0.05)


def test_each_hears_what_it_would_hear_alone(backbone):
    alone = [opened(backbone, number) for number in range(6)]
    texts = ["".join(session.generate(12 + number, never)) for number, session in enumerate(alone)]
    asked, served = [opened(backbone, number) for number in range(6)], serving(backbone, seats=4)

    def ask(number: int) -> str:
        pieces = served.speak(served.ticket(), asked[number], 12 + number, never)
        return "".join(piece for piece in pieces if isinstance(piece, str))

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(ask, range(6))) == texts
    for one, other in zip(alone, asked, strict=True):
        assert one.ids.tolist() == other.ids.tolist()
        assert one.sampled_log_probs == pytest.approx(other.sampled_log_probs, abs=1e-5)
    assert not backbone.lease.is_held


def test_a_long_question_delays_the_others_by_one_piece_a_token(backbone, monkeypatch):
    """Counted, not timed: between two tokens of one who speaks at most one piece of the newcomer's question is computed."""
    from engine.backbone import session as sessions
    from engine.backbone.together import Batch

    monkeypatch.setattr(sessions, "PIECE_TOKENS", 256)
    speaker, long = opened(backbone, 1), opened(backbone, 2, words=900)
    assert long.ids.shape[1] > 4096
    pieces: list[int] = []
    forward = sessions.Session._forward

    def counted(self, start, stop, positions):
        pieces.append(stop - start)
        return forward(self, start, stop, positions)

    batch = Batch(backbone)
    with backbone.lease.held(), backbone.adapters.answering():
        batch.join(speaker, 500)
        batch.compute(1000)
        batch.join(long, 2)
        monkeypatch.setattr(sessions.Session, "_forward", counted)
        steps = 0
        while any(row.session is long for row in batch.rows):
            said, done = speaker.turn_tokens, len(pieces)
            batch.decode()
            batch.compute(256)
            assert speaker.turn_tokens == said + 1 or speaker.turn_is_complete
            assert len(pieces) - done <= 1
            steps += 1
    assert sum(pieces) == long.ids.shape[1] - long.turn_tokens and max(pieces) == 256
    assert steps >= 4096 // 256
    monkeypatch.setattr(sessions, "PIECE_TOKENS", 10_000)
    whole = opened(backbone, 2, words=900)
    list(whole.generate(2, never))
    assert whole.sampled_log_probs == pytest.approx(long.sampled_log_probs, abs=1e-4)


def test_who_finds_it_full_is_told_how_many_come_first(backbone):
    served = serving(backbone, seats=1)
    turns = [served.speak(served.ticket(), opened(backbone, number), 10, never) for number in range(3)]
    backbone.lease.acquire()  # nobody gets in
    try:
        with ThreadPoolExecutor(3) as threads:
            firsts = []
            for turn in turns:  # one after the other, so that the line is in this order
                firsts.append(threads.submit(next, turn).result())
    finally:
        backbone.lease.release()
    assert firsts == [InLine(0), InLine(1), InLine(2)]
    for turn in turns:
        assert any(isinstance(piece, str) for piece in turn)


def test_who_gets_a_free_seat_with_the_next_token_is_told_of_no_line(backbone, monkeypatch):
    """However long a token takes: the batch stands still in the middle of one."""
    from engine.backbone import together

    served, is_stopped, may_go_on = serving(backbone, seats=2), threading.Event(), threading.Event()
    forward = together.forward_rows

    def slow(*arguments):
        is_stopped.set()
        may_go_on.wait(60)
        return forward(*arguments)

    monkeypatch.setattr(together, "forward_rows", slow)
    with ThreadPoolExecutor(3) as threads:
        turns = [served.speak(served.ticket(), opened(backbone, number), 6, never) for number in range(3)]
        speaking = threads.submit(list, turns[0])
        assert is_stopped.wait(60)
        next_one, full = threads.submit(list, turns[1]), threads.submit(next, turns[2])
        # A seat is free for one of the two who came meanwhile, whichever was first in line.
        while len(served._line) < 2:
            time.sleep(0.001)
        assert full.result() == InLine(1)
        may_go_on.set()
        assert speaking.result() and not [piece for piece in next_one.result() if isinstance(piece, InLine)]
        list(turns[2])


def test_an_earlier_conversation_comes_first_with_every_turn(backbone):
    served = serving(backbone, seats=1)
    early, late = served.ticket(), served.ticket()
    second = served.speak(late, opened(backbone, 1), 10, never)
    first = served.speak(early, opened(backbone, 2), 10, never)
    backbone.lease.acquire()
    try:
        with ThreadPoolExecutor(2) as threads:
            assert threads.submit(next, second).result() == InLine(0)
            assert threads.submit(next, first).result() == InLine(0)
            assert threads.submit(next, second).result() == InLine(1)
    finally:
        backbone.lease.release()
    list(first), list(second)


def test_one_persons_many_questions_do_not_hold_up_anothers_only_one(backbone):
    """Three of Ann's, one speaking, before Bo's: the free seat is Bo's. Without names it is the order in which they came."""
    for names, last in ((("ann", "ann", "ann", "bo"), InLine(0)), (("", "", "", ""), InLine(2))):
        served = serving(backbone, seats=1)
        tickets = [served.ticket(name) for name in names]
        speaking = served.speak(tickets[0], opened(backbone, 0), 400, never)
        while isinstance(next(speaking), InLine):
            pass
        waiting = [
            served.speak(ticket, opened(backbone, number), 4, never) for number, ticket in enumerate(tickets[1:], 1)
        ]
        with ThreadPoolExecutor(3) as threads:
            places = [threads.submit(next, turn).result() for turn in waiting]
        assert places == [InLine(0), InLine(1), last]
        for turn in (speaking, *waiting):
            turn.close()


def test_cancelling_acts_within_one_token_and_in_line_too(backbone):
    served, speaking, waiting = serving(backbone, seats=1), opened(backbone, 3), opened(backbone, 4)
    asked = 0

    def after_five() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    with ThreadPoolExecutor(1) as threads:
        backbone.lease.acquire()
        in_line = threads.submit(list, served.speak(served.ticket(), waiting, 50, lambda: True))
        assert not [piece for piece in in_line.result() if isinstance(piece, str)]
        backbone.lease.release()
    list(served.speak(served.ticket(), speaking, 500, after_five))
    assert 0 < speaking.turn_tokens <= 6 and not speaking.turn_is_complete
    assert waiting.turn_tokens == 0


def test_a_closed_iterator_leaves_the_batch(backbone):
    served, session = serving(backbone), opened(backbone, 5)
    turn = served.speak(served.ticket(), session, 500, never)
    while isinstance(next(turn), InLine):
        pass
    turn.close()
    said = session.turn_tokens
    with backbone.lease.held():  # its batch is over
        assert session.turn_tokens == said < 500


def test_who_wants_the_lease_gets_it_though_askers_never_end(backbone):
    """A training step, a promotion: those who speak end their turns, the next ones come after it."""
    served, order = serving(backbone, seats=2), []
    is_over = threading.Event()

    def ask(number: int) -> None:
        while not is_over.is_set():
            session = opened(backbone, number)
            list(served.speak(served.ticket(), session, 8, never))
            order.append(session.turn_tokens)

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask, number) for number in range(4)]
        while len(order) < 4:
            time.sleep(0.01)
        for _ in range(3):
            with backbone.lease.held():
                said = len(order)
            assert said >= 4
        is_over.set()
        for one in asking:
            one.result()
    assert not backbone.lease.is_held


def test_a_turn_that_fails_fails_alone(backbone, monkeypatch):
    served, good, bad = serving(backbone), opened(backbone, 6), opened(backbone, 7)
    monkeypatch.setattr(type(bad), "_see", _failing_for(bad, type(bad)._see))
    with ThreadPoolExecutor(2) as threads:
        fine = threads.submit(list, served.speak(served.ticket(), good, 6, never))
        broken = threads.submit(list, served.speak(served.ticket(), bad, 6, never))
        with pytest.raises(ValueError, match="no such picture"):
            broken.result()
        assert fine.result()
    assert not backbone.lease.is_held


def _failing_for(session, see):
    def wrapped(self, numbers, apart):
        if self is session:
            raise ValueError("no such picture")
        return see(self, numbers, apart)

    return wrapped


def test_a_step_that_fails_is_heard_by_all_who_speak_and_by_nobody_later(backbone, monkeypatch):
    from engine.backbone import together

    served = serving(backbone)
    with monkeypatch.context() as broken:
        broken.setattr(together, "forward_rows", lambda *_: (_ for _ in ()).throw(RuntimeError("out of memory")))
        with pytest.raises(RuntimeError, match="out of memory"):
            list(served.speak(served.ticket(), opened(backbone, 8), 6, never))
    assert list(served.speak(served.ticket(), opened(backbone, 8), 6, never))


def test_a_turn_that_goes_round_in_circles_is_ended_and_says_so(backbone, monkeypatch):
    """A network that always says the same word."""
    import torch

    from engine.backbone import session as sessions
    from engine.drivers.streaming import stream
    from engine.policies.local import LocalPolicy
    from tests.drivers.cases import PICTURE, PICTURES
    from ui.trace_values import outcome

    word = backbone.tokenizer("disc", add_special_tokens=False)["input_ids"][0]
    logits = torch.zeros(backbone.model.config.text_config.vocab_size)
    logits[word] = 9.0
    monkeypatch.setattr(sessions, "forward_rows", lambda *_: logits[None].clone())
    monkeypatch.setattr(sessions.Session, "next_logits", lambda self: logits.clone())
    monkeypatch.setattr(sessions.Session, "cache", SimpleNamespace())
    *_, finished = stream(LocalPolicy(backbone), PICTURE, PICTURES)
    assert finished.trace.stop_reason == "repetition"
    assert outcome("repetition", 1) == "No answer: after 1 step it said the same over and over, and was stopped."
