"""What is tried: a backfill with a prompt or a model of a person's own, and a few rows."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tasks import backfills
from tasks.adapters import picked
from tasks.adapters.ledger import tries, versions
from tasks.adapters.picked import Picked
from tasks.adapters.postgres import connect
from tasks.adapters.reference import models, today
from tasks.core.asking import refusals
from tasks.core.backfill import Backfill, Target
from tasks.core.errors import PreflightError
from tasks.core.next_version import next_version
from tasks.core.places import Rows
from tasks.core.requests import UnsendableTextError
from tasks.core.unseen import is_blank
from tasks.slices.requests import question_digest, template_of

MOST_ROWS = 50
"""A larger sample is what a pilot is for, at half the price."""

TYPED = "typed text"


def tried(name: str, prompt: str, model: str) -> Backfill:
    """Return a backfill with this prompt and model, or the site's where they are empty.

    Another question goes by the next version's name. Raises one sentence for what cannot be asked.
    """
    site = backfills.get(name)
    if prompt and is_blank(prompt):
        raise PreflightError(
            "The prompt holds no text: write one, or empty the field to try the site's."
        )
    chosen = replace(site, model=model.strip() or site.model, instruction=prompt.strip())
    if said := next(refusals(chosen, models()), None):
        raise PreflightError(f"{chosen.model} cannot be tried with {name}: {said}.")
    models().living(chosen.model, today())
    with connect() as connection:
        if question_digest(chosen) != question_digest(site):
            known = tries.known_versions(connection, name)
            version = next_version(site.extractor_version, known)
            chosen = replace(chosen, extractor_version=version)
        return versions.as_travelling(connection, chosen)


def choose(chosen: Backfill, ids: Sequence[str], text: str, count: int) -> list[Picked]:
    """Return the rows to try: a typed text, those of some ids, or a few; or raise one sentence."""
    if text and ids:
        raise PreflightError("Give ids or a text, not both: the text is tried by itself.")
    if text:
        return [_typed(chosen, text)]
    if len(ids) > MOST_ROWS:
        raise PreflightError(
            f"At most {MOST_ROWS} rows are tried at once, and {len(ids)} ids were given: run"
            " backfill/pilot for more, at half the price."
        )
    with connect() as connection:
        if not ids:
            return picked.a_few(connection, chosen, count) or _nobody(chosen)
        found = picked.by_ids(connection, chosen, ids)
    if missing := [each for each in ids if each not in {one.target.target_id for one in found}]:
        more = f" (and {len(missing) - 1} more of these)" if missing[1:] else ""
        raise PreflightError(
            f"{_place(chosen)} has no row '{missing[0]}'{more}, or it was forgotten on request."
        )
    if all(each.is_blank for each in found):
        raise PreflightError("None of these rows has a text to ask about.")
    return found


def _typed(chosen: Backfill, text: str) -> Picked:
    if is_blank(text):
        raise PreflightError("The text is empty: type one, or empty the field to try rows.")
    try:
        template_of(chosen).body(text)
    except UnsendableTextError as error:
        raise PreflightError(f"The text cannot be sent: {error}.") from None
    return Picked(Target(UUID(int=0), TYPED, text), TYPED)


def _nobody(chosen: Backfill) -> list[Picked]:
    way = "" if isinstance(chosen.source, Rows) else ": run it with csv_in once"
    raise PreflightError(f"{_place(chosen)} has no row with a text{way}, or type a text here.")


def _place(chosen: Backfill) -> str:
    return chosen.source.table if isinstance(chosen.source, Rows) else chosen.name
