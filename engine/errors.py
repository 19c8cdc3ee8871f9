"""The error tree, by who reads the message.

    StudioError
    ├── ModelMistake          read by the model: it becomes an Observation that the model can mend, and the loop goes on
    │   ├── MalformedCall       not a call that the protocol can read
    │   ├── UnknownOperation    a call of something that is no operation
    │   ├── InvalidBox          a box that is empty, reversed or outside the view
    │   ├── UnknownView         a view that was never shown
    │   └── InvalidFrames       no frames, too many, or frames that the video does not have
    ├── PersonError           read by a person: one sentence saying what was wrong, the value seen, and what to do
    │   ├── InvalidMedia        a picture or video that cannot be taken
    │   ├── InvalidInput        a question, file or option that cannot be taken
    │   ├── InvalidSetting      an environment variable or command option with an impossible value
    │   ├── NotFound            a trace, job, adapter or medium that is not there
    │   ├── NotAllowed          something that the person's role does not allow
    │   ├── TooMuch             more than one person may use in a while
    │   ├── Conflict            somebody else moved the trace first; both versions are kept
    │   ├── Doubtful            something that is only done once a person who read the message says so again
    │   └── Unavailable         something that this machine or installation lacks
    │       └── Broken            the home is full, damaged or cannot be written: its host has to mend it
    └── IntegrityError        read by a developer: stored data contradicts itself

Invariant: a mistake of the model never raises past `engine.reasoning.reason`, and a mistake of ours never becomes an
Observation. Plain programming errors (ValueError, TypeError) stay what they are and are not wrapped.
"""

from __future__ import annotations

__all__ = [
    "Broken",
    "Conflict",
    "Doubtful",
    "IntegrityError",
    "InvalidBox",
    "InvalidFrames",
    "InvalidInput",
    "InvalidMedia",
    "InvalidSetting",
    "MalformedCall",
    "ModelMistake",
    "NotAllowed",
    "NotFound",
    "PersonError",
    "StudioError",
    "TooMuch",
    "Unavailable",
    "UnknownOperation",
    "UnknownView",
]


class StudioError(Exception):
    """Root of every error that this project raises on purpose."""


class ModelMistake(StudioError):
    """The policy asked for something impossible; the message is shown to the model as an execution error."""


class MalformedCall(ModelMistake):
    """The call is not the JSON that the protocol describes."""


class UnknownOperation(ModelMistake):
    """The call names an operation that does not exist."""


class InvalidBox(ModelMistake):
    """The box is empty, reversed or outside the view."""


class UnknownView(ModelMistake):
    """The call names a view that was never shown."""


class InvalidFrames(ModelMistake):
    """The call selects no frames, too many, or frames that do not exist."""


class PersonError(StudioError):
    """Something a person can mend; the message is one clear sentence that is shown to them as it stands."""


class InvalidMedia(PersonError):
    """A picture or video that cannot be taken."""


class InvalidInput(PersonError):
    """A question, file or option that cannot be taken."""


class InvalidSetting(PersonError):
    """A setting with an impossible value."""


class NotFound(PersonError):
    """Something that was asked for by name is not there."""


class NotAllowed(PersonError):
    """The person's role, or whose work it is, does not allow it."""


class TooMuch(PersonError):
    """More than one person, or one address, may use in a while; it says when there is more."""


class Conflict(PersonError):
    """A save came too late: the head had already moved. Nothing was overwritten."""


class Doubtful(PersonError):
    """It can be done, and there is a reason not to; whoever reads it may insist. Nothing was done yet."""


class Unavailable(PersonError):
    """This machine or installation lacks what was asked for."""


class Broken(Unavailable):
    """The studio's home is full, damaged or cannot be written. What was asked for was not done; its host has to mend it."""


class IntegrityError(StudioError):
    """Stored data contradicts itself: a hash does not match, or a record points at nothing."""
