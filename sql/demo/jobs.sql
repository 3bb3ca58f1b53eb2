-- name: create_tables
create table if not exists jobs_enriched (
    id text primary key,
    company text,
    position text,
    location text,
    url text,
    tags text[],
    skills text[],
    seniority text,
    summary text,
    description text,
    embedding text,
    created_at timestamp
);

-- name: mark_as_samples
comment on table jobs_enriched is 'Sample data of the embedded stack: made-up job adverts';

-- name: insert_target
insert into jobs_enriched (id, company, position, location, url, tags, description, embedding, created_at)
values (
    %(id)s, %(company)s, %(position)s, %(location)s, %(url)s, %(tags)s, %(description)s, %(embedding)s, %(created_at)s
)
on conflict do nothing;

-- name: foreign_checksum
-- A checksum over every column that is not ours to write.
select
    coalesce(md5(string_agg(
        md5((to_jsonb(jobs_enriched) - array['skills', 'seniority', 'summary', 'embedding'])::text), ''
        order by jobs_enriched.id
    )), '') as checksum
from jobs_enriched;
