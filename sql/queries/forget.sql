-- name: record
insert into backfill.forgotten (backfill, target_id, flow_run_id)
select
    %(backfill)s,
    asked.target_id,
    %(flow_run_id)s
from (select unnest(%(target_ids)s::text[]) as target_id) as asked
on conflict do nothing;

-- name: on_their_way
select count(*) as targets
from backfill.generations
inner join backfill.slices on generations.slice_id = slices.slice_id
where
    generations.backfill = %(backfill)s
    and generations.target_id = any(%(target_ids)s)
    and generations.state = 'planned'
    and slices.state in ('reserved', 'submitted');

-- name: versions
select versions.extractor_version
from backfill.versions
where versions.backfill = %(backfill)s
union
select generations.extractor_version
from backfill.generations
where generations.backfill = %(backfill)s and generations.target_id = any(%(target_ids)s)
union
select projections.extractor_version
from backfill.projections
where projections.backfill = %(backfill)s and projections.target_id = any(%(target_ids)s)
order by extractor_version;

-- name: asked
-- All that was ever asked for the targets.
select
    generations.doc_id,
    generations.extractor_version,
    generations.content_hash
from backfill.generations
where generations.backfill = %(backfill)s and generations.target_id = any(%(target_ids)s);

-- name: written_for
-- The targets for which rows of ours were written; what others wrote under the version is theirs.
select projections.target_id
from backfill.projections
where
    projections.backfill = %(backfill)s
    and projections.extractor_version = %(extractor_version)s
    and projections.target_id = any(%(target_ids)s)
union
select generations.target_id
from backfill.generations
where
    generations.backfill = %(backfill)s
    and generations.extractor_version = %(extractor_version)s
    and generations.target_id = any(%(target_ids)s)
    and generations.state = 'written';

-- name: forget_questions
delete from backfill.questions
where questions.question_id = any(%(question_ids)s)
returning questions.block_id is not null as was_kept;

-- name: count_kept
select count(*) as answers
from backfill.questions
where questions.question_id = any(%(question_ids)s) and questions.block_id is not null;

-- name: forget_projections
delete from backfill.projections
where projections.backfill = %(backfill)s and projections.target_id = any(%(target_ids)s);

-- name: forget_restores
delete from backfill.restores
where restores.backfill = %(backfill)s and restores.target_id = any(%(target_ids)s);

-- name: forget_filled
-- What stood in a row before us is no less the row's than what we wrote.
delete from backfill.filled
where filled.backfill = %(backfill)s and filled.target_id = any(%(target_ids)s);

-- name: forget_rereads
delete from backfill.rereads
where rereads.backfill = %(backfill)s and rereads.target_id = any(%(target_ids)s);

-- name: forget_reviews
delete from backfill.reviews
where reviews.backfill = %(backfill)s and reviews.target_id = any(%(target_ids)s);

-- name: forget_given
-- What a CSV brought back of our own columns.
update backfill.csv_rows
set given = null
where csv_rows.backfill = %(backfill)s and csv_rows.target_id = any(%(target_ids)s);

-- name: blocks_with_more
-- Blocks that hold more answers than questions have: a question was forgotten, or has a better answer elsewhere.
select answer_blocks.block_id
from backfill.answer_blocks
left join backfill.questions on answer_blocks.block_id = questions.block_id
where answer_blocks.backfill = %(backfill)s
group by answer_blocks.block_id
having count(questions.question_id) < answer_blocks.answers
order by answer_blocks.block_id;

-- name: places_in_use
select
    answer_blocks.block_id,
    answer_blocks.payload,
    array_remove(array_agg(questions.place), null) as places
from backfill.answer_blocks
left join backfill.questions on answer_blocks.block_id = questions.block_id
where answer_blocks.block_id = any(%(block_ids)s)
group by answer_blocks.block_id;

-- name: rewrite_block
update backfill.answer_blocks
set payload = %(payload)s, answers = %(answers)s
where answer_blocks.block_id = %(block_id)s;

-- name: drop_block
delete from backfill.answer_blocks
where answer_blocks.block_id = %(block_id)s;

-- name: not_in_flight
-- Slices that nobody waits for, of some whose files are on this machine.
select slices.slice_id
from backfill.slices
where
    slices.slice_id = any(%(slice_ids)s)
    and slices.backfill = %(backfill)s
    and slices.state not in ('reserved', 'submitted');

-- name: left_at_service
select
    slices.job_name,
    slices.input_file
from backfill.slices
where
    slices.backfill = %(backfill)s
    and slices.state not in ('reserved', 'submitted')
    and slices.input_file is not null
    and slices.input_file_expires_at > now();

-- name: old_blocks
select answer_blocks.block_id
from backfill.answer_blocks
where answer_blocks.backfill = %(backfill)s and answer_blocks.kept_at < now() - %(days)s * interval '1 day'
order by answer_blocks.block_id;

-- name: thin_questions
update backfill.questions
set block_id = null, place = null, vector = null
where questions.block_id = any(%(block_ids)s);

-- name: drop_blocks
delete from backfill.answer_blocks
where answer_blocks.block_id = any(%(block_ids)s);
