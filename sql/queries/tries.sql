-- name: begin
insert into backfill.tries (backfill, model, instruction, cap_usd, flow_run_id)
values (%(backfill)s, %(model)s, %(instruction)s, %(cap_usd)s, %(flow_run_id)s)
returning tries.try_id;

-- name: book
update backfill.tries
set cost_usd = tries.cost_usd + %(usd)s::numeric
where tries.try_id = %(try_id)s;

-- name: spent
-- What tries and comparisons cost, which belong to no run.
select coalesce(sum(apart.usd), 0) as usd
from (
    select tries.cost_usd as usd from backfill.tries
    where tries.backfill = %(backfill)s
    union all
    select comparisons.spent_usd from backfill.comparisons
    where comparisons.backfill = %(backfill)s
) as apart;

-- name: last_instruction
-- What a person tried last in place of the site's prompt, and whom it was asked.
select
    tries.instruction,
    tries.model
from backfill.tries
where tries.backfill = %(backfill)s and tries.instruction is not null
order by tries.tried_at desc
limit 1;

-- name: known_versions
select versions.extractor_version from backfill.versions where versions.backfill = %(backfill)s;
