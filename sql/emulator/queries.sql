-- name: setting
select settings.value
from settings
where settings.name = :setting_name;

-- name: put_setting
insert into settings (name, value)
values (:setting_name, :json_value)
on conflict (name) do update set value = excluded.value;

-- name: settings
select
    settings.name,
    settings.value
from settings;

-- name: add_upload
insert into uploads (id, project, file_id, display_name, mime_type, size)
values (:id, :project, :file_id, :display_name, :mime_type, :bytes);

-- name: upload
select *
from uploads
where uploads.id = :id;

-- name: receive
update uploads
set received = :received
where id = :id;

-- name: drop_upload
delete from uploads
where id = :id;

-- name: add_file
insert into files (
    id, project, display_name, mime_type, size, sha256, created, expires
)
values (
    :id, :project, :display_name, :mime_type, :bytes, :sha256, :created, :expires
);

-- name: file
select *
from files
where
    files.id = :id
    and files.project = :project
    and files.expires > :now_time;

-- name: file_id_taken
select files.id
from files
where
    files.id = :id
    and files.expires > :now_time;

-- name: forget_expired
delete from files
where expires <= :now_time;

-- name: list_files
select *
from files
where
    files.project = :project
    and files.expires > :now_time
    and files.seq < :upto
order by files.seq desc
limit :page_size;

-- name: expire_file
update files
set expires = :now_time
where id = :id;

-- name: delete_file
delete from files
where
    id = :id
    and project = :project;

-- name: stored_bytes
select coalesce(sum(files.size), 0) as total
from files
where
    files.project = :project
    and files.expires > :now_time;

-- name: output_bytes
select coalesce(sum(jobs.output_at), 0) as total
from jobs
where
    jobs.project = :project
    and jobs.deleted = 0;

-- name: add_job
insert into jobs (
    id, project, kind, model, display_name, file_id, created, updated, state,
    fate, requests, enqueued_tokens
)
values (
    :id, :project, :kind, :model, :display_name, :file_id, :created, :created,
    'BATCH_STATE_PENDING', :fate, :requests, :enqueued_tokens
);

-- name: job
select *
from jobs
where
    jobs.id = :id
    and jobs.project = :project
    and jobs.deleted = 0;

-- name: any_job
select *
from jobs
where jobs.id = :id;

-- name: list_jobs
select *
from jobs
where
    jobs.project = :project
    and jobs.deleted = 0
    and jobs.seq < :upto
    and jobs.created + coalesce(json_extract(jobs.fate, '$.listed_after'), 0)
    <= :now_time
order by jobs.seq desc
limit :page_size;

-- name: active_jobs
select *
from jobs
where
    jobs.deleted = 0
    and jobs.state in ('BATCH_STATE_PENDING', 'BATCH_STATE_RUNNING')
order by jobs.seq;

-- name: enqueued
select
    count(*) as jobs,
    coalesce(sum(case when jobs.model = :model then jobs.enqueued_tokens end), 0)
        as tokens
from jobs
where
    jobs.project = :project
    and jobs.deleted = 0
    and jobs.state in ('BATCH_STATE_PENDING', 'BATCH_STATE_RUNNING');

-- name: embedding_jobs_since
select count(*) as jobs
from jobs
where
    jobs.project = :project
    and jobs.kind = 'embed'
    and jobs.created > :since_time;

-- name: move_job
update jobs
set
    state = :new_state,
    updated = :now_time,
    ended = :ended,
    error = :error
where
    id = :id
    and deleted = 0
    and state in ('BATCH_STATE_PENDING', 'BATCH_STATE_RUNNING');

-- name: delete_job
update jobs
set deleted = 1
where
    id = :id
    and project = :project
    and deleted = 0;

-- name: progress
update jobs
set
    input_at = :input_at,
    output_at = :output_at,
    drained = :drained,
    answered = answered + :answered,
    failed = failed + :failed,
    input_tokens = input_tokens + :input_tokens,
    output_tokens = output_tokens + :output_tokens,
    thought_tokens = thought_tokens + :thought_tokens
where
    id = :id
    and input_at = :from_at
    and deleted = 0
    and state = 'BATCH_STATE_RUNNING';

-- name: add_ask
insert into asks (key, job, start, size, ok)
values (:ask_key, :job, :offset_at, :bytes, :ok);

-- name: asked_before
select
    asks.key,
    count(*) as times
from asks
where asks.key in (select wanted.value from json_each(:keys) as wanted)
group by asks.key;

-- name: asks_of
select
    asks.start,
    asks.size,
    asks.ok,
    jobs.id as job,
    jobs.state,
    jobs.deleted,
    asks.ok
    and (asks.job = 0 or (jobs.ended is not null and jobs.error is null))
        as billed
from asks
left join jobs on asks.job = jobs.seq
where asks.key = :ask_key
order by asks.id;

-- name: billed_keys
select
    asks.key,
    count(*) as times
from asks
left join jobs on asks.job = jobs.seq
where
    asks.ok = 1
    and (asks.job = 0 or (jobs.ended is not null and jobs.error is null))
group by asks.key
having count(*) >= :min_times
order by asks.key;

-- name: job_bill
with found as (
    select
        searches.job,
        sum(searches.queries) as queries
    from searches
    group by searches.job
)

select
    coalesce(json_extract(jobs.fate, '$.answered_by'), jobs.model) as model,
    count(*) as jobs,
    sum(jobs.answered + jobs.failed) as requests,
    sum(jobs.answered) as answered,
    sum(jobs.failed) as failed,
    sum(jobs.input_tokens) as input_tokens,
    sum(jobs.output_tokens) as output_tokens,
    sum(jobs.thought_tokens) as thought_tokens,
    coalesce(sum(found.queries), 0) as search_queries
from jobs
left join found on jobs.seq = found.job
where
    jobs.ended is not null
    and jobs.error is null
group by coalesce(json_extract(jobs.fate, '$.answered_by'), jobs.model);

-- name: online_bill
with found as (
    select
        searches.model,
        sum(searches.queries) as queries
    from searches
    where searches.job = 0
    group by searches.model
)

select
    online.model,
    sum(online.requests) as requests,
    sum(online.input_tokens) as input_tokens,
    sum(online.output_tokens) as output_tokens,
    sum(online.thought_tokens) as thought_tokens,
    coalesce(max(found.queries), 0) as search_queries
from online
left join found on online.model = found.model
group by online.model;

-- name: add_searches
insert into searches (job, model, queries)
values (:job, :model, :queries);

-- name: add_online
insert into online (
    time, method, model, requests, input_tokens, output_tokens, thought_tokens
)
values (
    :at_time, :call_method, :model, :requests, :input_tokens, :output_tokens,
    :thought_tokens
);

-- name: online_since
select coalesce(sum(online.requests), 0) as total
from online
where
    online.time > :since_time
    and online.model = :model;

-- name: count_call
insert into calls (method, times)
values (:call_method, 1)
on conflict (method) do update set times = times + 1;

-- name: calls
select
    calls.method,
    calls.times
from calls
order by calls.method;

-- name: add_event
insert into events (time, kind, detail)
values (:at_time, :kind, :detail);

-- name: events
select *
from events
where events.seq > :seen
order by events.seq
limit :page_size;

-- name: add_fault
insert into faults (kind, site, remaining, share, conditions, params)
values (:kind, :site, :remaining, :odds, :conditions, :params);

-- name: faults
select *
from faults
order by faults.id;

-- name: faults_at
select *
from faults
where
    faults.site = :site
    and (faults.remaining is null or faults.remaining > 0)
order by faults.id;

-- name: fire
update faults
set
    remaining = remaining - :hits,
    fired = fired + :hits
where id = :id;

-- name: clear_faults
delete from faults;

-- name: clear_settings
delete from settings;

-- name: clear_files
delete from files;

-- name: clear_uploads
delete from uploads;

-- name: clear_jobs
delete from jobs;

-- name: clear_asks
delete from asks;

-- name: clear_searches
delete from searches;

-- name: clear_online
delete from online;

-- name: clear_calls
delete from calls;

-- name: clear_events
delete from events;
