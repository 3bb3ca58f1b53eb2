"""What ought to be: which class a row is in, and whose answer stands, told from the design."""

from collections import defaultdict
from typing import Any, NamedTuple

from machine_hand import Key, Seen, as_json, by_id, plain

from tasks.core.ends import SkipReason
from tasks.core.identity import content_hash, doc_id, question_id
from tasks.core.unseen import is_blank

PASSING = tuple(str(reason) for reason in SkipReason if reason.passes)


class Act(NamedTuple):
    """What was done: to which version, and how far it went."""

    version: str
    is_rollback: bool = False
    also_edited: bool = False
    is_full: bool = False  # a full run that nothing got in the way of
    is_restore: bool = False


class Reference:
    """Remembers what answers became, and holds every step of the engine against the design."""

    def __init__(
        self, name: str, versions: tuple[str, ...], ids: list[str], texts: list[str]
    ) -> None:
        self._ids = ids
        self.texts = {str(content_hash(text)): text for text in texts}
        self._docs: dict[str, tuple[str, str, str]] = {}
        self._questions: dict[Key, str] = {}
        for version in versions:
            for text in texts:
                content = content_hash(text)
                self._questions[version, text] = str(question_id(name, version, content))
                for target_id in ids:
                    doc = str(doc_id(name, version, target_id, content))
                    self._docs[doc] = version, target_id, text
        self._doc_of = {found: doc for doc, found in self._docs.items()}
        self._learned: dict[Key, str] = {}
        self._written: dict[Key, str] = {}
        self.refusable: set[str] = set()

    def check(self, before: Seen, now: Seen, act: Act) -> None:
        """Assert what holds after every step of the engine."""
        assert now.source == before.source, "the source was touched"
        assert now.uneven == [], "a slice's sums are wrong"
        good = self._paid(now)
        self._rows_are_whole(before, now, act)
        self._nothing_is_lost(now, good, act)
        for place, expected in self._wanted(now, now.version, good).items():
            found = now.wants.get(place, set())
            assert found == expected, f"{place} {self.texts[place[1]]!r}: {found} not {expected}"
        if act.is_full:
            self._is_complete(now, act.version, good)
        if act.is_restore:
            assert all(("restore", False) not in each for each in now.wants.values())

    def is_edited(self, seen: Seen, place: Key) -> bool:
        """Return whether somebody changed rows since the engine wrote them."""
        rows = seen.rows.get(place)
        return bool(rows) and place in seen.projected and plain(rows) != self._written.get(place)

    def _paid(self, now: Seen) -> set[Key]:
        """Return the questions that were answered well; each was paid for once."""
        times: dict[Key, int] = defaultdict(int)
        for key, count in now.paid.items():
            version, _, text = self._docs[key]
            times[version, text] += count
        assert set(times.values()) <= {1}, f"paid again although it was answered: {times}"
        return set(times)

    def _rows_are_whole(self, before: Seen, now: Seen, act: Act) -> None:
        """What is not the version's, or was changed by a person, stays; the rest is one answer."""
        here = by_id(now.source)
        for place in before.rows.keys() | now.rows.keys():
            was, found = before.rows.get(place, []), now.rows.get(place, [])
            if as_json(was) == as_json(found):
                continue
            version, target_id = place
            assert version == act.version, f"rows of another version: {place}"
            if self.is_edited(before, place):
                assert act.also_edited, f"a correction is gone: {place}"
            elif was and place not in before.projected:
                assert act.is_rollback, f"rows that others wrote: {place}"
            if not found:
                stood = self._docs[before.projected[place]][2] if place in before.projected else ""
                assert act.is_rollback or stood not in here[target_id], f"true rows went: {place}"
                continue
            self._is_one_answer(version, target_id, found, here[target_id], now)

    def _is_one_answer(
        self, version: str, target_id: str, found: list[Any], texts: list[str], now: Seen
    ) -> None:
        sources = {each["evidence"] and each["evidence"]["source_text"] for each in found}
        assert len(sources) == 1, f"rows of several answers: {version} {target_id} {sources}"
        [text] = sources
        assert text in texts, f"rows of a text that is not there: {version} {target_id}"
        for each in found:
            for entry in each["evidence"]["support"]:
                assert text[entry["start"] : entry["end"]] == entry["quote"]
        said = plain(found)
        assert self._learned.setdefault((version, text), said) == said, "another answer's rows"
        self._written[version, target_id] = said
        assert now.projected.get((version, target_id)) == self._doc_of[version, target_id, text]

    def _nothing_is_lost(self, now: Seen, good: set[Key], act: Act) -> None:
        """What was paid for is kept, of every version, or is with a job that the next run finds."""
        kept = {each for each in good if self._questions[each] in now.kept}
        flying = set() if act.is_full else self._open(now, "reserved", "submitted")
        assert kept | flying >= good, f"paid for, and not kept: {good - kept - flying}"

    def _open(self, now: Seen, *states: str) -> set[Key]:
        """Return the questions that are planned, in slices of some states or of any."""
        return {
            self._docs[doc][::2]
            for doc, (state, _, of_slice) in now.claims.items()
            if state == "planned" and (not states or of_slice in states)
        }

    def _wanted(
        self, now: Seen, version: str, good: set[Key]
    ) -> dict[tuple[str, str], set[tuple[str, bool]]]:
        """Return what each row wants whose id stands once, by the design's table of classes."""
        texts = by_id(now.in_scope)
        # Whose id stands twice may take part in a question.
        doubled = {text for said in texts.values() if len(said) > 1 for text in said}
        # One that is planned only is asked by a text that is there.
        asked = {text for of, text in self._open(now, "reserved", "submitted") if of == version}
        for doc, (state, *_) in now.claims.items():
            of, target_id, text = self._docs[doc]
            if state == "planned" and of == version and text in texts.get(target_id, ()):
                asked.add(text)
        found: dict[tuple[str, str], set[tuple[str, bool]]] = {}
        for target_id, [text, *_] in sorted(texts.items()):
            if text not in doubled:
                wants = self._class(now, version, target_id, text, good)
                is_twin = wants == "ask" and text in asked
                found[target_id, str(content_hash(text))] = {(wants, is_twin)} if wants else set()
                asked |= {text} if wants == "ask" else set()
        return found

    def _class(
        self, now: Seen, version: str, target_id: str, text: str, good: set[Key]
    ) -> str | None:
        place, doc = (version, target_id), self._doc_of[version, target_id, text]
        state, reason, _ = now.claims.get(doc, (None, None, None))
        stands, is_mine = now.rows.get(place), now.projected.get(place)
        if state == "planned" or reason == "refused_by_database":
            return None
        if is_blank(text):
            return None if state else "empty_text"
        if stands and (reason == "edited" or not is_mine):
            return None  # a person's, or others'
        if (version, text) in good and self._questions[version, text] in now.kept:
            return None if stands and is_mine == doc else "restore"
        is_new = state is None or (state == "skipped" and reason in PASSING)
        assert is_new or state == "bad", f"{state} without an answer: {place}"
        return "ask" if is_new and not self._is_bad(now, version, text) else None

    def _is_bad(self, now: Seen, version: str, text: str) -> bool:
        """Return whether a target is bad for a question: its twins wait for that."""
        docs = [self._doc_of[version, each, text] for each in self._ids]
        return any(now.claims.get(doc, ("",))[0] == "bad" for doc in docs)

    def _is_complete(self, now: Seen, version: str, good: set[Key]) -> None:
        """Every row in scope with a text has its rows, and nothing more is wanted."""
        assert not now.wants, now.wants
        assert not [each for each in self._open(now) if each[0] == version], "left planned"
        for target_id, texts in by_id(now.in_scope).items():
            place = version, target_id
            rows = now.rows.get(place, [])
            if self.is_edited(now, place) or (rows and place not in now.projected):
                continue
            said = plain(rows) if rows else None
            allowed = {self._may_stand(now, version, target_id, text, good) for text in texts}
            if len(allowed) > 1:  # an id that stands twice: one of them was asked
                allowed.discard(None)
            assert said in allowed, f"{place} {texts}: not its rows"

    def _may_stand(
        self, now: Seen, version: str, target_id: str, text: str, good: set[Key]
    ) -> str | None:
        """Return the rows that a text's answer became; None where it rightly has none."""
        doc = self._doc_of[version, target_id, text]
        state, reason, _ = now.claims.get(doc, (None, None, None))
        assert reason != "refused_by_database" or text in self.refusable
        if reason in ("refused_by_database", "duplicate_id"):
            return None
        if state is None and self._is_bad(now, version, text):
            return None
        if state == "bad":
            assert (version, text) not in good, f"a good answer is called {reason}: {text}"
            return None
        return None if is_blank(text) else self._learned[version, text]
