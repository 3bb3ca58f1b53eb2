"""Kept answers out of this ledger, into another one, and forgotten on request."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import own, says_why
from tasks.planning.answers_in_out import read_answers, write_answers
from tasks.planning.parameters import (
    AnswersFile,
    BackfillName,
    DryRun,
    ExtractorVersion,
    TargetIds,
)
from tasks.undo.forget import forget_rows
from tasks.undo.rollback import refuse


@flow(name="export", flow_run_name="export answers of {name}")
@says_why
async def export_answers(
    name: BackfillName = "passage_concepts",
    file: AnswersFile = "",
    extractor_version: ExtractorVersion = None,
) -> State:
    """Write the kept answers of a backfill to a file that import/from-file reads.

    Texts do not travel: a question is named by its hash. It may run beside a run.

    Args:
        name: Which backfill.
        file: Its name below the reports directory, packed where it ends in .gz; empty means
            <backfill>-answers.jsonl.gz.
        extractor_version: Which version; empty means all.
    """
    return own(await write_answers(name, extractor_version, file))


@flow(name="import", flow_run_name="import answers of {name}")
@says_why
async def import_answers(name: BackfillName = "passage_concepts", file: AnswersFile = "") -> State:
    """Take in kept answers that export/answers wrote; the next run writes their rows for nothing.

    What is kept here already stays. A version that means something else here is refused.

    Args:
        name: Which backfill.
        file: Its name below the reports directory; empty means <backfill>-answers.jsonl.gz.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            refuse(name, holder)
        return own(await read_answers(name, file))


@flow(name="forget", flow_run_name="forget rows of {name}")
@says_why
async def forget(
    name: BackfillName = "passage_concepts",
    ids: TargetIds = "",
    dry_run: DryRun = True,  # noqa: FBT002 - a form has check boxes
) -> State:
    """Forget all that was answered for some rows, of every version: answers, rows and reports.

    Runs leave the rows alone from then on. To delete them from the source is yours to do.

    Args:
        name: Which backfill.
        ids: The rows' ids, one per line or with commas between them.
        dry_run: Only count. Untick it to forget.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            refuse(name, holder)
        return own(await forget_rows(name, ids, flow_run.get_id(), dry_run=dry_run))
