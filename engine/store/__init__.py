"""The store: everything that the studio remembers, in one SQLite file. The only place that speaks SQL.

`Store` is a thin composition of one small object for each noun:

    store.media      what each media file is            store.jobs       background work and its events
    store.traces     traces and the queue in pages      store.adapters   trained weights, and which one is live
    store.revisions  versions of a trace, by hash       store.verify()   derives every hash and crop again
    store.reviews    verdicts                       store.rounds     several reviews of a trace, bulk actions
    store.queue      the workbench's queue          store.tags       tags, saved views
    store.drafts     unfinished changes             store.reservations  who holds a trace, who should
    store.preferences  the better of two            store.history    who did what, when
    store.examples   examples that were brought in, by data set
    store.dossiers   all that is known of a trace
    store.attempts   what jobs' attempts came to    store.evaluations  what was scored, and on what it depends
    store.people     who has a name here        store.keys       their sessions, tokens, invitations
    store.sight      who may see what
    store.bin        what was deleted, and back      store.emptying   what is gone for good

Any thread may use it (each gets its own connection), and so may several processes on one machine. Values come out as
frozen dataclasses; what is missing raises NotFound, a save that came too late StaleRevision (a Conflict).
Not covered: media files and weights, which lie in the artifacts folder beside the database.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sqlite_utils import Database

from engine.store.adapters import Adapter, Adapters, Promotion
from engine.store.attempts import Attempt, AttemptCounts, Attempts, group_id
from engine.store.bin import Bin, Deletion
from engine.store.connection import Connections, JournalMode
from engine.store.dossier import Blanked, Decided, Dossier, Preferred, Reviewed, Tagged, Version, Weighed
from engine.store.dossiers import Dossiers, first_hash
from engine.store.drafts import Drafts, SavedDraft, StaleDraft
from engine.store.emptying import Emptied, Emptying, Erasure
from engine.store.evaluations import Evaluation, Evaluations
from engine.store.examples import DataSet, Examples, ImportedExample, usable_name
from engine.store.facets import derive
from engine.store.history import BlankCheck, History, HistoryEvent, WeighedLook
from engine.store.identity import shown_name
from engine.store.jobs import Job, JobEvent, Jobs, JobState
from engine.store.keys import Key, KeyKind, Keys
from engine.store.lessons import DoubtfulLesson, LessonCounts, Lessons
from engine.store.listing import Listed
from engine.store.media import MediaRecord, MediaRecords
from engine.store.people import Account, People, person_name
from engine.store.preferences import Preference, Preferences
from engine.store.query import Query, QueueOrder, Seer
from engine.store.queue import Queue, QueuePage
from engine.store.reservations import Assignment, Reservation, Reservations, Reserved
from engine.store.reviews import Review, Reviews, Verdict
from engine.store.revisions import Revision, Revisions, StaleRevision
from engine.store.rounds import Adjudication, BulkAction, PassedOver, Round, Rounds
from engine.store.schema import migrate
from engine.store.search import Outcome, Status
from engine.store.sight import Sight
from engine.store.tags import SavedView, Tags
from engine.store.targets import DeletionPlan, LearnedFrom, Target, target_of
from engine.store.traces import QueueItem, TraceRecord, Traces
from engine.store.verify import MediaFiles, VerifyReport, verify

__all__ = [
    "Account",
    "Adapter",
    "Adjudication",
    "Assignment",
    "Attempt",
    "AttemptCounts",
    "BlankCheck",
    "Blanked",
    "BulkAction",
    "Evaluation",
    "DataSet",
    "ImportedExample",
    "Decided",
    "Dossier",
    "Deletion",
    "DeletionPlan",
    "Emptied",
    "Erasure",
    "JobEvent",
    "HistoryEvent",
    "Job",
    "JobState",
    "JournalMode",
    "Key",
    "KeyKind",
    "DoubtfulLesson",
    "LearnedFrom",
    "LessonCounts",
    "Listed",
    "MediaRecord",
    "Outcome",
    "PassedOver",
    "Preference",
    "Preferred",
    "Promotion",
    "Query",
    "QueueItem",
    "QueueOrder",
    "QueuePage",
    "Reservation",
    "Reserved",
    "Review",
    "Reviewed",
    "Revision",
    "Round",
    "SavedDraft",
    "SavedView",
    "Seer",
    "StaleDraft",
    "StaleRevision",
    "Status",
    "Store",
    "Tagged",
    "TraceRecord",
    "Verdict",
    "VerifyReport",
    "Version",
    "Weighed",
    "WeighedLook",
    "first_hash",
    "person_name",
    "shown_name",
    "group_id",
    "Target",
    "target_of",
    "usable_name",
]


@dataclass(frozen=True, slots=True, init=False)
class Store:
    """The database at `path`, made and brought up to date as needed.

    `journal_mode` is "wal" for local disks, "delete" for network disks (then with one process only). Raises
    InvalidSetting or Unavailable where there can be no such database.
    """

    connections: Connections
    media: MediaRecords
    revisions: Revisions
    traces: Traces
    reviews: Reviews
    lessons: Lessons
    jobs: Jobs
    adapters: Adapters
    drafts: Drafts
    reservations: Reservations
    rounds: Rounds
    queue: Queue
    tags: Tags
    preferences: Preferences
    history: History
    examples: Examples
    dossiers: Dossiers
    attempts: Attempts
    evaluations: Evaluations
    people: People
    keys: Keys
    sight: Sight
    bin: Bin
    emptying: Emptying

    def __init__(self, path: Path | str, journal_mode: JournalMode = "wal", busy_timeout_s: float = 30.0) -> None:
        connections = Connections(Path(path), journal_mode, busy_timeout_s)
        try:
            migrate(connections)
            derive(connections)
        except BaseException:
            connections.close()
            raise
        media, revisions = MediaRecords(connections), Revisions(connections)
        reviews = Reviews(connections, revisions)
        traces = Traces(connections, media, revisions)
        parts = {
            "connections": connections,
            "media": media,
            "revisions": revisions,
            "traces": traces,
            "reviews": reviews,
            "lessons": Lessons(connections),
            "jobs": Jobs(connections),
            "adapters": Adapters(connections),
            "drafts": Drafts(connections),
            "reservations": Reservations(connections),
            "rounds": Rounds(connections, revisions, reviews),
            "queue": Queue(connections),
            "tags": Tags(connections),
            "preferences": Preferences(connections, revisions),
            "history": History(connections),
            "examples": Examples(connections, media),
            "dossiers": Dossiers(connections, media, traces, revisions),
            "attempts": Attempts(connections),
            "evaluations": Evaluations(connections),
            "people": People(connections),
            "keys": Keys(connections),
            "sight": Sight(connections),
            "bin": Bin(connections),
            "emptying": Emptying(connections),
        }
        for name, part in parts.items():
            object.__setattr__(self, name, part)

    @property
    def path(self) -> Path:
        return self.connections.path

    @property
    def problem(self) -> str | None:
        """What is wrong with the database's file, as a sentence, where an act met it."""
        return self.connections.problem

    @property
    def is_closed(self) -> bool:
        return self.connections.is_closed

    def transaction(self) -> AbstractContextManager[Database]:
        """Everything in the `with` block is stored together or not at all; many records are also much faster so."""
        return self.connections.write()

    def snapshot(self, target: Path) -> None:
        """Writes the whole store, as it is at one moment, to a new file beside which people go on working."""
        self.connections.snapshot(target)

    def verify(self, media_files: MediaFiles | None) -> VerifyReport:
        """Derives every hash again, hashes every media file and cuts every crop of `media_files` (a MediaFolder) again;
        with None only what stands in the database."""
        return verify(self.connections, media_files)

    def close(self) -> None:
        """Closes every connection. Call it when no thread works with the store any more."""
        self.connections.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
