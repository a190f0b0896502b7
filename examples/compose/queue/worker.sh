#!/bin/sh
# Takes one job after another and leaves its SHA-256 in the hash `results`, and who did how many in
# `done`. A job lies in the worker's own list while it is worked on, so that none is lost when the
# worker dies; a worker that starts again finishes its own first.
set -eu
stopping=
trap 'stopping=yes' TERM INT
me=$(hostname)
redis() { redis-cli -h "$REDIS_HOST" "$@"; }

finish() {
    sum=$(printf %s "$1" | sha256sum | cut -d' ' -f1)
    redis HSET results "$1" "$sum" >/dev/null
    redis HINCRBY done "$me" 1 >/dev/null
    redis LREM "working:$me" 1 "$1" >/dev/null
    echo "$1 $sum"
}

redis LRANGE "working:$me" 0 -1 | while read -r job; do [ -z "$job" ] || finish "$job"; done
echo "waiting for jobs"
while [ -z "$stopping" ]; do
    job=$(redis BLMOVE jobs "working:$me" LEFT RIGHT "$WAIT_SECONDS")
    [ -z "$job" ] || finish "$job"
done
echo "stopped"
