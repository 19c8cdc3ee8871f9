"""The lease is fair, is not bound to a thread, and cannot be released twice."""

from __future__ import annotations

import threading
import time

import pytest

from engine.backbone.lease import Lease


def test_first_come_first_served_against_a_holder_who_asks_again_at_once():
    lease, served = Lease(), []
    lease.acquire()

    def wait(name: int) -> None:
        with lease.held():
            served.append(name)

    threads = []
    for name in range(5):
        thread = threading.Thread(target=wait, args=(name,))
        thread.start()
        threads.append(thread)
        while len(lease._waiting) <= name:
            time.sleep(0.001)
    lease.release()
    lease.acquire()
    served.append("again")
    lease.release()
    for thread in threads:
        thread.join(5)
    assert served == [0, 1, 2, 3, 4, "again"]


def test_only_one_holds_it():
    lease, inside, most = Lease(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with lease.held():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 1
    assert not lease.is_held


def test_another_thread_may_release_it():
    lease = Lease()
    lease.acquire()
    thread = threading.Thread(target=lease.release)
    thread.start()
    thread.join(5)
    assert not lease.is_held


def test_releasing_what_nobody_holds_raises():
    with pytest.raises(RuntimeError, match="does not hold"):
        Lease().release()
