"""Two versions on the same targets, before anybody pays for all of them."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.adapters.leases import held
from tasks.adapters.stages import says_why
from tasks.planning.comparison import ask_the_rest, choose
from tasks.planning.parameters import (
    Against,
    ApproveUpTo,
    BackfillName,
    Candidate,
    CandidateLines,
    ChosenHow,
    Seed,
    TargetCount,
)
from tasks.reports.compare import judge, show
from tasks.undo.rollback import refuse


@flow(name="compare", flow_run_name="compare versions of {name}")
@says_why
async def compare(  # noqa: PLR0913, PLR0917 - a form
    name: BackfillName = "passage_concepts",
    candidate: Candidate = None,
    candidate_lines: CandidateLines = "",
    against: Against = None,
    targets: TargetCount = 50,
    how: ChosenHow = "random",
    seed: Seed = 1,
    approve_up_to_usd: ApproveUpTo = 0.5,
) -> State:
    """Show how a candidate's answers differ from a version's, with what a full run costs.

    Kept answers are read, the rest is asked at once and kept. No row is written.

    Args:
        name: Which backfill.
        candidate: An extractor version that was asked before; or leave it empty and give lines.
        candidate_lines: Lines as in backfills.toml: model, prompt, thinking, options. With an
            extractor_version of their own their answers count for that version's full run.
        against: The version to compare with; empty means the backfill's present one.
        targets: On how many targets.
        how: At random, or those whose answers are most in doubt: bad, unproven, unsure.
        seed: Another number chooses other targets.
        approve_up_to_usd: The most that asking may cost.
    """
    me = f"{flow_run.get_name()} ({flow_run.get_id()})"
    with held("run", name, holder=me, alone=True) as holder:
        if holder:
            refuse(name, holder)
        both = await choose(
            name, against, candidate, candidate_lines, targets=targets, how=how, seed=seed
        )
        comparison_id = await ask_the_rest(both, approve_up_to_usd)
        said, page = await judge(both, comparison_id)
        return await show(both, said, page)
