-- Large texts in pieces of equal size, so that any page is found without reading what is before it.
-- Pieces are shared: storing the same output twice costs two rows.

CREATE TABLE text_chunks (
    number  INTEGER NOT NULL PRIMARY KEY,
    hash    BLOB    NOT NULL UNIQUE, -- BLAKE3 of the raw bytes
    bytes   INTEGER NOT NULL,        -- raw
    data    BLOB    NOT NULL         -- one zstd frame
) STRICT;

CREATE TABLE texts (
    number       INTEGER NOT NULL PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE, -- BLAKE3 of the whole text, in hexadecimal digits
    bytes        INTEGER NOT NULL,
    chunk_bytes  INTEGER NOT NULL -- raw size of every chunk but the last
) STRICT;

CREATE TABLE text_parts (
    text      INTEGER NOT NULL REFERENCES texts (number),
    position  INTEGER NOT NULL,
    chunk     INTEGER NOT NULL REFERENCES text_chunks (number),
    PRIMARY KEY (text, position)
) STRICT, WITHOUT ROWID;
