-- What stops a whole run may also be that too few answers are usable.
alter table backfill.slices drop constraint slices_stopped_by_check;

alter table backfill.slices
add constraint slices_stopped_by_check check (stopped_by in ('budget', 'quota', 'rejected', 'gates'));
