#!/bin/sh
# Applies each file of /migrations that the table `migration` does not name yet, each in a transaction.
set -eu
PGPASSWORD=$(cat "$PASSWORD_FILE")
export PGPASSWORD PGOPTIONS='-c client_min_messages=warning'
sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc -qtA "$@"; }
sql -c 'CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())'
for file in /migrations/*.sql; do
    name=$(basename "$file" .sql)
    if [ -n "$(sql -c "SELECT 1 FROM migration WHERE name = '$name'")" ]; then
        echo "$name: already there"
        continue
    fi
    sql --single-transaction -f "$file" -c "INSERT INTO migration (name) VALUES ('$name')"
    echo "$name: applied"
done
