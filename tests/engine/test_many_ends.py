"""What many targets cost: their ends touch no index, and a list of bad ones is never in memory."""

import asyncio
import time
import tracemalloc

from engine_hand import Engine

from tasks.adapters.postgres import idle
from tasks.reports.bad_list import list_bad


def updates(engine: Engine) -> dict[str, int]:
    [counted] = engine.sql(
        "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables"
        " where relid = 'backfill.generations'::regclass"
    )
    return counted


def test_the_end_of_a_target_stays_on_its_page(engine: Engine) -> None:
    engine.load_samples(300)

    engine.summary(slice_size=150)

    idle.end()  # what a session did is counted when it has ended
    while not (counted := updates(engine))["n_tup_upd"]:
        time.sleep(0.05)
    assert counted["n_tup_upd"] == 300
    assert counted["n_tup_hot_upd"] > 270


def test_a_list_of_bad_generations_takes_no_memory_for_each(engine: Engine) -> None:
    engine.load_samples(1)
    [slice_id] = engine.plan()
    run_id = engine.slice(slice_id).run_id
    engine.sql(
        "insert into backfill.generations (doc_id, backfill, extractor_version, target_id,"
        " content_hash, slice_id, state, reason, raw) select gen_random_uuid(), 'passage_concepts',"
        " 'gemini_batch_v1', n::text, gen_random_uuid(), %(slice_id)s, 'bad', 'not_json',"
        " repeat('I am sorry. ', 200) from generate_series(1, 20000) n",
        slice_id=slice_id,
    )

    tracemalloc.start()
    count = asyncio.run(list_bad.fn("passage_concepts", run_id))
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 20_000
    assert highest < 10_000_000
