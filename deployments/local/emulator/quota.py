"""What a batch create may be refused for: no billing, too much waiting, too many jobs."""

from deployments.local.emulator import faults, models
from deployments.local.emulator.lines import Verdict
from deployments.local.emulator.replies import batch_quota
from deployments.local.emulator.service import Service
from deployments.local.emulator.store import Store

EMBEDDING_SECONDS = 20 * 60


def check(service: Service, project: str, model: models.Model, verdict: Verdict) -> None:
    """Refuse a create with the one 429 that does not tell which quota it is."""
    store = service.store
    row = store.one("enqueued", project=project, model=model.name)
    assert row is not None  # noqa: S101 - an aggregate always has a row
    total = row["tokens"] + verdict.tokens
    if (
        not store.setting("billing")
        or any(total > limit for limit in _token_limits(store, model))
        or _struck(store, model, {"tokens": total, "lines": verdict.requests})
        or _too_many_jobs(store, row["jobs"])
        or _too_many_embeddings(store, project, model)
    ):
        raise batch_quota()


def _token_limits(store: Store, model: models.Model) -> list[int]:
    limits = [store.setting("enqueued_tokens")]
    if tier := store.setting("tier"):
        limits.append(model.tiers[int(tier) - 1])
    return [int(limit) for limit in limits if limit is not None]


def _struck(store: Store, model: models.Model, sizes: dict[str, int]) -> bool:
    for fault in faults.at(store, "quota"):
        above = any(sizes[name] > int(fault.params.get(name, sizes[name])) for name in sizes)
        if above and fault.strikes({"model": model.name}, model.name):
            faults.record(store, [fault])
            return True
    return False


def _too_many_jobs(store: Store, active: int) -> bool:
    return bool(store.setting("refuse_excess_jobs")) and active >= int(
        store.setting("max_active_jobs")
    )


def _too_many_embeddings(store: Store, project: str, model: models.Model) -> bool:
    most = store.setting("embedding_creates")
    if most is None or model.methods != models.EMBED:
        return False
    since = store.now() - EMBEDDING_SECONDS
    row = store.one("embedding_jobs_since", project=project, since_time=since)
    return row is not None and row["jobs"] >= int(most)
