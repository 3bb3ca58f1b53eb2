"""The documents index meets the disk: CSV files, response files, directories, SQLite."""
