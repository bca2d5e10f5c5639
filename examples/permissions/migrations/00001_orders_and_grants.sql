-- SQLite and PostgreSQL both run this file.

-- +goose Up
CREATE TABLE grants (
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL CHECK (subject <> ''),
    workspace  TEXT NOT NULL, -- empty: everywhere
    permission TEXT NOT NULL CHECK (permission <> ''),
    PRIMARY KEY (issuer, subject, workspace, permission)
);

CREATE TABLE workspaces (
    name       TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
    last_order INTEGER NOT NULL
);

CREATE TABLE orders (
    workspace    TEXT    NOT NULL REFERENCES workspaces (name),
    number       INTEGER NOT NULL,
    item         TEXT    NOT NULL,
    quantity     INTEGER NOT NULL,
    price_cents  INTEGER NOT NULL,
    margin_cents INTEGER NOT NULL,
    PRIMARY KEY (workspace, number)
);

-- +goose Down
DROP TABLE orders;
DROP TABLE workspaces;
DROP TABLE grants;
