"""What can go wrong with a run, as sentences for the person who started it.

BackfillError
 ├─ SettingsError        something that says where things are is missing or unusable
 ├─ PreflightError       the database, the model or the schema is not what the run needs
 ├─ VersionChangedError  an extractor version would come to mean something else
 ├─ RunInProgressError   another run of the same backfill is at work
 ├─ LeaseLostError       somebody else has taken over what this process worked on
 ├─ BudgetReachedError   the next slice would exceed what was approved
 ├─ GatesFailedError     a measurement is outside its limit
 ├─ SumsError            the ledger does not add up
 ├─ DiskFullError        a disk of this machine has no room left
 ├─ DatabaseBusyError    somebody holds a lock that a statement waits for
 └─ ModelApiError        what the model service answered
     ├─ RejectedError       a clear no; nothing was created
     │   ├─ RejectedLinesError  because of some lines of the request file
     │   ├─ TableRefusesError   by the target's table: it takes the rows of no answer
     │   ├─ TooLargeError       a smaller job may be accepted
     │   ├─ ModelGoneError      the model was shut down, is closed to new keys, or never was
     │   └─ AccessError         the key, or its project, may not ask
     ├─ QuotaError          not now; nothing was created
     │   ├─ NoRoomError         by our own count: the service was not asked
     │   └─ NoBatchError        not even one request, though no job is in flight
     ├─ UnavailableError    it failed at requests that it took, at no cost
     ├─ InputFileGoneError  the uploaded file is not there any more
     ├─ AmbiguousError      nobody knows whether it happened
     │   └─ NoReplyError        it was sent, and no reply came: it may have been paid
     ├─ JobLostError        a recorded job cannot be seen with this key
     └─ NoEndError          a job is overdue, and nobody may take its answers for lost
"""


class BackfillError(Exception):
    """The backfill cannot go on; the message says why and what to do."""


class SettingsError(BackfillError):
    """Something that says where things are is missing or unusable."""


class PreflightError(BackfillError):
    """The database, the model or the schema is not what the run needs."""


class VersionChangedError(BackfillError):
    """An extractor version would come to mean something else."""


class RunInProgressError(BackfillError):
    """Another run of the same backfill is at work."""


class LeaseLostError(BackfillError):
    """Somebody else has taken over what this process worked on, because it stood still."""


class BudgetReachedError(BackfillError):
    """The next slice would exceed what was approved."""


class GatesFailedError(BackfillError):
    """A measurement is outside its limit."""


class SumsError(BackfillError):
    """The ledger does not add up: a target is in no end state, or in two."""


class DiskFullError(BackfillError):
    """A disk of this machine has no room left for what has to be written."""


class DatabaseBusyError(BackfillError):
    """Somebody holds a lock that a statement has waited for too long."""


class ModelApiError(BackfillError):
    """The model service answered something that the run cannot use."""


class RejectedError(ModelApiError):
    """The model service said a clear no; nothing was created."""


class RejectedLinesError(RejectedError):
    """The model service refused a job because of some lines; `lines` are their numbers from 1."""

    def __init__(self, message: str, lines: tuple[int, ...]) -> None:
        super().__init__(message)
        self.lines = lines

    def __reduce__(self) -> tuple[type["RejectedLinesError"], tuple[str, tuple[int, ...]]]:
        """Return how Prefect stores it with a failed task run."""
        return type(self), (str(self), self.lines)


class TableRefusesError(RejectedError):
    """The target's table refuses the rows of all answers alike; none is lost, none is bad.

    It stops a run as the service's own no does: what one slice meets, all would meet.
    """


class TooLargeError(RejectedError):
    """The model service refused a job for its size."""


class ModelGoneError(RejectedError):
    """The model service has no such `model` for this key: never, not any more, or not yet."""

    model: str = ""


class AccessError(RejectedError):
    """The model service does not let this key ask."""


class QuotaError(ModelApiError):
    """The model service said not now; nothing was created.

    `retry_after` is the seconds that it named, if it named any; `daily` is a quota of the day.
    """

    retry_after: float | None = None
    daily: bool = False


class NoRoomError(QuotaError):
    """The tier's limits leave no room for the job; `ours` when jobs of ours will make some."""

    def __init__(self, message: str, *, ours: bool = False) -> None:
        super().__init__(message)
        self.ours = ours


class UnavailableError(ModelApiError):
    """The model service failed at requests that it took; nothing was paid for them."""


class NoBatchError(QuotaError):
    """The model service refuses even a job of one request, though none is in flight."""


class InputFileGoneError(ModelApiError):
    """The uploaded request file is not there any more; nothing was created."""


class AmbiguousError(ModelApiError):
    """Nobody knows whether the model service did what it was asked."""


class NoReplyError(AmbiguousError):
    """It was sent, and no usable reply came: it may have been carried out, and paid."""


class JobLostError(ModelApiError):
    """A recorded batch job cannot be seen with this API key."""


class NoEndError(ModelApiError):
    """A batch job is overdue, but may have been paid for: it is not asked again."""
