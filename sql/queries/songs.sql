-- name: create_source
-- Values are texts, so that they go out as they came in. What is asked about a song is written
-- down once, here; a row without an id of its own goes by its number.
create table if not exists songs (
    row_number bigint primary key,
    song_id text not null,
    title text not null,
    artist text not null,
    album text not null,
    year text not null,
    genre text not null,
    bpm text not null,
    tags text not null,
    target_id text not null generated always as (coalesce(nullif(song_id, ''), 'row ' || row_number)) stored,
    content text not null generated always as (
        case
            when title ~ '\S' or artist ~ '\S'
                then
                    'Title: ' || title || E'\nArtist: ' || artist
                    || case when album ~ '\S' then E'\nAlbum: ' || album else '' end
                    || case when year ~ '\S' then E'\nYear: ' || year else '' end
                    || case when genre ~ '\S' then E'\nGenre: ' || genre else '' end
                    || case when bpm ~ '\S' then E'\nBPM: ' || bpm else '' end
                    || case when tags ~ '\S' then E'\nTags: ' || tags else '' end
            else ''
        end
    ) stored
);

create index if not exists songs_by_target on songs (target_id);

create table if not exists song_profiles (
    song_id text not null,
    energy text not null,
    accessibility text not null,
    subgenre_1 text,
    subgenre_2 text,
    subgenre_3 text,
    reasoning text not null,
    context text not null,
    confidence real not null,
    grounding jsonb,
    extractor_model text not null,
    extractor_version text not null,
    created_at timestamptz not null
);

create index if not exists song_profiles_by_song on song_profiles (song_id, extractor_version);

-- name: clear_source
delete from songs;

-- name: copy_source
-- noqa: disable=all
copy songs (row_number, song_id, title, artist, album, year, genre, bpm, tags) from stdin;
-- noqa: enable=all

-- name: export_rows
select
    songs.song_id,
    songs.title,
    songs.artist,
    songs.album,
    songs.year,
    songs.genre,
    songs.bpm,
    songs.tags,
    song_profiles.energy,
    song_profiles.accessibility,
    song_profiles.subgenre_1,
    song_profiles.subgenre_2,
    song_profiles.subgenre_3,
    song_profiles.reasoning,
    song_profiles.context,
    song_profiles.confidence::text as confidence
from songs
left join song_profiles
    on songs.target_id = song_profiles.song_id and song_profiles.extractor_version = %(extractor_version)s
order by songs.row_number;

-- name: select_targets
-- Every row of the CSV, and whether somebody already wrote a profile of this version for it.
select
    songs.target_id,
    songs.content,
    exists(
        select 1 from song_profiles
        where
            song_profiles.song_id = songs.target_id
            and song_profiles.extractor_version = %(extractor_version)s
    ) as has_rows
from songs;

-- name: select_texts
select
    songs.target_id,
    songs.content
from songs
where songs.target_id = any(%(target_ids)s);

-- name: record_columns
select
    song_id,
    energy,
    accessibility,
    subgenre_1,
    subgenre_2,
    subgenre_3,
    reasoning,
    context,
    confidence,
    grounding,
    extractor_model,
    extractor_version,
    created_at
from song_profiles
where false;

-- name: copy_records
-- noqa: disable=all
copy song_profiles (
    song_id, energy, accessibility, subgenre_1, subgenre_2, subgenre_3, reasoning, context, confidence, grounding,
    extractor_model, extractor_version, created_at
) from stdin with (format binary);
-- noqa: enable=all

-- name: delete_records
delete from song_profiles
where
    song_profiles.song_id = any(%(target_ids)s)
    and song_profiles.extractor_version = %(extractor_version)s;

-- name: measure
-- What the profiles of one run hold, read back from the table.
with answered as (
    select generations.target_id
    from backfill.generations
    inner join backfill.slices on generations.slice_id = slices.slice_id
    where slices.run_id = %(run_id)s and generations.state = 'written'
)

select
    count(*) as profiles,
    avg(song_profiles.confidence) as mean_confidence,
    avg(num_nonnulls(
        song_profiles.subgenre_1, song_profiles.subgenre_2, song_profiles.subgenre_3
    )) as subgenres_per_song,
    avg((song_profiles.confidence < 0.5)::int) as share_of_doubtful,
    avg((song_profiles.grounding is not null)::int) as share_with_searches
from song_profiles
inner join answered on song_profiles.song_id = answered.target_id
where song_profiles.extractor_version = %(extractor_version)s;

-- name: distribution
-- How the songs spread over the categories; there are no rows of another extractor to compare.
select
    song_profiles.accessibility as label,
    count(*) as ours,
    0 as theirs
from song_profiles
where song_profiles.extractor_version = %(extractor_version)s
group by song_profiles.accessibility
order by ours desc, label;

-- name: coverage
with existing as (
    select distinct song_profiles.song_id
    from song_profiles
    where song_profiles.extractor_version = %(extractor_version)s
)

select
    count(*) as all_targets,
    count(*) filter (where existing.song_id is not null) as targets_with_rows
from songs
left join existing on songs.target_id = existing.song_id;

-- name: count_records
select
    'song_profiles' as table_name,
    count(*) as records
from song_profiles
where song_profiles.extractor_version = %(extractor_version)s;

-- name: targets_with_records
select distinct song_profiles.song_id as target_id
from song_profiles
where song_profiles.extractor_version = %(extractor_version)s
limit %(step)s;
