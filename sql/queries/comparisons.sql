-- name: ends
-- How far some targets have come, whoever asked them.
select
    generations.doc_id,
    generations.state,
    generations.reason
from backfill.generations
where generations.doc_id = any(%(doc_ids)s);

-- name: begin
insert into backfill.comparisons (
    backfill, first_version, second_version, targets, approved_usd, flow_run_id
)
values (
    %(backfill)s, %(first)s, %(second)s, %(targets)s, %(approved_usd)s, %(flow_run_id)s
)
returning comparison_id;

-- name: book
update backfill.comparisons
set spent_usd = comparisons.spent_usd + %(usd)s::numeric
where comparisons.comparison_id = %(comparison_id)s;

-- name: close
update backfill.comparisons
set verdict = %(verdict)s, ended_at = now()
where comparisons.comparison_id = %(comparison_id)s;
