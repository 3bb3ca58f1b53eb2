-- name: create_tables
create table if not exists jobs_enriched (
    job_id text primary key,
    title text,
    description text,
    skills jsonb,
    seniority text,
    summary text,
    embedding jsonb,
    posted_at timestamptz default '2026-01-01'
);

-- name: insert_target
insert into jobs_enriched (job_id, title, description, embedding)
values (%(job_id)s, %(title)s, %(description)s, %(embedding)s)
on conflict do nothing;

-- name: foreign_checksum
-- A checksum over every column that is not ours to write.
select
    coalesce(md5(string_agg(
        md5((to_jsonb(jobs_enriched) - array['skills', 'seniority', 'summary', 'embedding'])::text), ''
        order by jobs_enriched.job_id
    )), '') as checksum
from jobs_enriched;
