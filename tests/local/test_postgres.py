import psycopg


def test_a_fresh_database_is_empty(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "select count(*) from pg_tables where schemaname = 'public'"
        ).fetchone()

    assert tables == (0,)
