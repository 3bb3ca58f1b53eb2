"""Where the emulator answers otherwise than the service, in words."""

from importlib.metadata import version
from itertools import zip_longest
from typing import NamedTuple

from deployments.conformance.record import Answer, Observation, Record
from deployments.conformance.shapes import Difference, differences

NOTHING = Answer(call="", shape={})


class Found(NamedTuple):
    """A call, and one thing that differs in its answers."""

    call: str
    difference: Difference


def compare(service: Record, emulator: Record) -> list[Found]:
    """Return all differences, call by call; what the service had no answer for is left out."""
    names = [*service.observations, *emulator.observations, *emulator.unseen]
    return [
        Found(call, difference)
        for call in dict.fromkeys(names)
        if not _is_unseen(service, call)
        for difference in _differences(_of(service, call), _of(emulator, call))
    ]


def text(service: Record, found: list[Found]) -> str:
    """Return the report, without key, texts and names of jobs."""
    said = [
        f"google-genai {version('google-genai')}, {service.model}, {service.embedding_model}",
        *(f"not seen: {call} ({why})" for call, why in service.unseen.items()),
    ]
    if not found:
        return "\n".join([*said, "no difference\n"])
    call = ""
    for each in found:
        said += [] if each.call == call else [each.call]
        call = each.call
        said.append(f"  {_sentence(each.difference)}")
    return "\n".join([*said, f"differences: {len(found)}\n"])


def _is_unseen(service: Record, call: str) -> bool:
    if call in service.observations:
        return False
    # What a job brought cannot be seen where the job was not created.
    job = call.partition(": ")[0]
    absent = f"{job}: created" in service.unseen and job.removeprefix("job ") not in service.jobs
    return call in service.unseen or absent


def _of(record: Record, call: str) -> Observation:
    if seen := record.observations.get(call):
        return seen
    why = record.unseen.get(call)
    return Observation(sdk=[why] if why else [])


def _differences(service: Observation, emulator: Observation) -> list[Difference]:
    found = [
        Difference(f"the SDK makes of call {number} of it", *map(_side, (mine, theirs)))
        for number, (mine, theirs) in enumerate(zip_longest(service.sdk, emulator.sdk), 1)
        if mine != theirs
    ]
    for mine, theirs in zip_longest(service.answers, emulator.answers, fillvalue=NOTHING):
        found += _of_answer(mine, theirs)
    return found


def _side(word: str | None) -> list[str]:
    return [] if word is None else [word]


def _of_answer(service: Answer, emulator: Answer) -> list[Difference]:
    call = service.call or emulator.call
    if service.call != emulator.call:
        return [Difference(f"{call}, the call", [service.call], [emulator.call])]
    return [
        difference._replace(path=f"{call}, {difference.path}")
        for difference in differences(service.shape, emulator.shape)
    ]


def _sentence(difference: Difference) -> str:
    return (
        f"{difference.path}: the service says {_said(difference.service)},"
        f" the emulator says {_said(difference.emulator)}"
    )


def _said(kinds: list[str]) -> str:
    return " or ".join(kind for kind in kinds if kind) or "nothing"
