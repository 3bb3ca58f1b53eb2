-- name: add
-- In the order in which they were given.
insert into backfill.reviews (backfill, extractor_version, target_id, found, chosen, flow_run_id)
select
    %(backfill)s,
    %(extractor_version)s,
    asked.target_id,
    asked.found,
    string_to_array(asked.chosen, '; '),
    %(flow_run_id)s
from (
    select
        unnest(%(target_ids)s::text[]) as target_id,
        unnest(%(found)s::jsonb[]) as found,
        unnest(%(chosen)s::text[]) as chosen
) as asked
returning reviews.review_id;

-- name: known
select
    reviews.review_id,
    reviews.extractor_version,
    reviews.target_id,
    reviews.found,
    reviews.verdict,
    reviews.corrected,
    reviews.comment
from backfill.reviews
where reviews.backfill = %(backfill)s and reviews.review_id = any(%(review_ids)s);

-- name: sampled
-- Under which version some targets were chosen last, and why.
select distinct on (reviews.target_id)
    reviews.target_id,
    reviews.extractor_version,
    reviews.chosen
from backfill.reviews
where reviews.backfill = %(backfill)s and reviews.target_id = any(%(target_ids)s)
order by reviews.target_id asc, reviews.review_id desc;

-- name: judge
update backfill.reviews
set verdict = %(verdict)s, corrected = %(corrected)s, comment = %(comment)s, judged_at = now()
where reviews.review_id = %(review_id)s;

-- name: miss
-- A row that should be there; said twice it counts once.
insert into backfill.reviews (
    backfill, extractor_version, target_id, chosen, verdict, corrected, comment, judged_at
)
select
    %(backfill)s,
    %(extractor_version)s,
    %(target_id)s,
    %(chosen)s,
    'missing',
    %(corrected)s,
    %(comment)s,
    now()
where not exists (
    select 1 from backfill.reviews
    where
        reviews.backfill = %(backfill)s
        and reviews.extractor_version = %(extractor_version)s
        and reviews.target_id = %(target_id)s
        and reviews.verdict = 'missing'
        and reviews.corrected = %(corrected)s
);

-- name: judged
-- What people said of each version; of a row that was judged more than once the last word counts.
select
    lately.extractor_version,
    count(*) filter (where lately.verdict = 'right' and lately.is_random) as random_right,
    count(*) filter (where lately.verdict <> 'missing' and lately.is_random) as random_judged,
    count(*) filter (where lately.verdict = 'right' and not lately.is_random) as doubtful_right,
    count(*) filter (where lately.verdict <> 'missing' and not lately.is_random) as doubtful_judged,
    count(*) filter (where lately.verdict = 'missing') as missing
from (
    select distinct on (reviews.extractor_version, reviews.target_id, reviews.found, reviews.corrected is null)
        reviews.extractor_version,
        reviews.verdict,
        'random' = any(reviews.chosen) as is_random
    from backfill.reviews
    where reviews.backfill = %(backfill)s and reviews.verdict is not null
) as lately
group by lately.extractor_version
order by lately.extractor_version;
