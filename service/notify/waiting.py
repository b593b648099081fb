"""What waits for one channel: bounded in number, age and pace; what does not go is counted. No thread, no clock."""

from dataclasses import dataclass, replace

from service.notify.notice import Notice


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how long a channel is tried."""

    deadline_s: float = 600.0
    """Age (seconds) at which a notice is no news any more; an escalation is more to the point by then."""
    most_waiting: int = 20
    """Notices that wait at most: more episodes than a bad night has in 10 minutes."""
    burst: int = 4
    """Notices at once: a whole episode."""
    refill_s: float = 30.0
    """Seconds for one more: 120 an hour at most, under what the free services allow; alarms go all the same."""
    first_retry_s: float = 1.0
    """First pause after a failed attempt (seconds)."""
    longest_retry_s: float = 30.0
    """Longest pause (seconds): 20 attempts and more before the deadline, and no load on a service that is down."""


@dataclass(slots=True)
class Counts:
    """Where every notice went: `told == delivered + replaced + dropped + waiting`."""

    told: int = 0
    """Meant for this channel."""
    delivered: int = 0
    """Taken by the service."""
    replaced: int = 0
    """A newer one of the same episode went instead."""
    dropped: int = 0
    """Too old, or too many, or the daemon ended."""
    waiting: int = 0
    """On the way."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice with its deadline."""

    notice: Notice
    until: float
    """Monotonic seconds: the wall clock of a small board may jump by hours when it finds the network."""


class Waiting:
    """Urgent ones first, then the oldest. Every `now` is in monotonic seconds and never goes back."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._entries: list[Entry] = []
        self._in_hand = 0
        self._allowed = float(pace.burst)
        self._allowed_at = 0.0
        self._counts = Counts()

    @property
    def counts(self) -> Counts:
        """What became of all so far; what was taken and not answered yet is waiting."""
        return replace(self._counts, waiting=len(self._entries) + self._in_hand)

    def put(self, notice: Notice, now: float) -> None:
        """Takes a notice; it replaces what it supersedes, and when full the oldest goes, urgent ones last."""
        kept = [entry for entry in self._entries if not notice.supersedes(entry.notice)]
        self._counts.told += 1
        self._counts.replaced += len(self._entries) - len(kept)
        self._entries = [*kept, Entry(notice, now + self._pace.deadline_s)]
        if len(self._entries) > self._pace.most_waiting:
            oldest = next((entry for entry in self._entries if not entry.notice.urgent), self._entries[0])
            self._entries.remove(oldest)
            self._counts.dropped += 1

    def take(self, now: float, *, unlimited: bool = False) -> Entry | None:
        """Returns what may go now; answer with `delivered`, `failed` or `given_up`."""
        fresh = [entry for entry in self._entries if now < entry.until]
        self._counts.dropped += len(self._entries) - len(fresh)
        self._entries = fresh
        self._refill(now)
        able = fresh if unlimited or self._allowed >= 1 else [entry for entry in fresh if entry.notice.urgent]
        chosen = next((entry for entry in able if entry.notice.urgent), able[0] if able else None)
        if chosen is not None:
            self._entries.remove(chosen)
            self._in_hand += 1
        return chosen

    def pause_s(self, now: float) -> float | None:
        """Returns after how many seconds `take` may have something; None: not before the next `put`."""
        if not self._entries:
            return None
        self._refill(now)
        return max((1 - self._allowed) * self._pace.refill_s, 0.0)

    def delivered(self) -> None:
        """What was taken has arrived."""
        self._in_hand -= 1
        self._allowed = max(self._allowed - 1, 0.0)
        self._counts.delivered += 1

    def failed(self, entry: Entry) -> None:
        """What was taken did not arrive: it waits again, at the front, unless something newer makes it needless."""
        self._in_hand -= 1
        if any(newer.notice.supersedes(entry.notice) for newer in self._entries):
            self._counts.replaced += 1
        else:
            self._entries.insert(0, entry)

    def given_up(self) -> None:
        """What was taken did not arrive and never will."""
        self._in_hand -= 1
        self._counts.dropped += 1

    def refuse(self) -> None:
        """A notice came too late to wait at all."""
        self._counts.told += 1
        self._counts.dropped += 1

    def _refill(self, now: float) -> None:
        self._allowed = min(self._allowed + (now - self._allowed_at) / self._pace.refill_s, float(self._pace.burst))
        self._allowed_at = now
