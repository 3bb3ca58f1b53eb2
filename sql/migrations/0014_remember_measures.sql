-- What was measured of a run's rows when it was judged: later runs of its version are held beside it.
alter table backfill.runs add column measured jsonb;
