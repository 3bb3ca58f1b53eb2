-- A CSV goes out as it came: with every value in quotes where it came so.
alter table backfill.csv_files add column quotes_all boolean not null default false;
