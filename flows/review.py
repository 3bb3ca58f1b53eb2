"""Rows that people judge: some are put before them, and their verdicts are taken back in."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import own, says_why
from tasks.planning.parameters import (
    AtRandom,
    BackfillName,
    CsvIn,
    CsvOut,
    ExtractorVersion,
    Seed,
    TargetCount,
)
from tasks.review.sample import Wanted
from tasks.review.sample import sample as sample_rows
from tasks.review.verdicts import take_verdicts
from tasks.undo.rollback import refuse


@flow(name="review", flow_run_name="rows of {name} to judge")
@says_why
async def sample(  # noqa: PLR0913, PLR0917 - the fields of a form
    name: BackfillName = "passage_concepts",
    extractor_version: ExtractorVersion = None,
    targets: TargetCount = 20,
    at_random: AtRandom = 0.5,
    seed: Seed = 1,
    csv_out: CsvOut = "",
) -> State:
    """Put rows before people: a page with their evidence, and a CSV to say what is right in.

    Those drawn at random stand for all rows of the version; the others are the most doubtful:
    quotes that are missing or approximate, low confidence, versions that disagree, mended answers.

    Args:
        name: Which backfill.
        extractor_version: Which version; empty means the backfill's present one.
        targets: The rows of how many targets.
        at_random: Which share of them is drawn at random, from 0 to 1.
        seed: Another number draws others.
        csv_out: Where the CSV is written; empty means the reports directory.
    """
    wanted = Wanted(targets, at_random, seed)
    return await sample_rows(name, extractor_version, wanted, csv_out, flow_run.get_id())


@flow(name="review", flow_run_name="verdicts on {name}")
@says_why
async def verdicts(name: BackfillName = "passage_concepts", csv_in: CsvIn = "") -> State:
    """Take in what people said in such a CSV, all of it or nothing.

    Corrected values go into the table, where runs, rereads and restores leave them.

    Args:
        name: Which backfill.
        csv_in: The file that review/sample wrote. In `verdict` stands right, wrong (what it should
            be in the columns corrected_…), or missing, in a line of its own.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            refuse(name, holder)
        return own(await take_verdicts(name, csv_in))
