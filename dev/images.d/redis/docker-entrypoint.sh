#!/bin/sh
# Options and configuration files alone mean redis-server; which runs as the user redis, on data that is its own.
set -e
case "${1:-}" in
-* | *.conf) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ]; then
    # Containers are reached by other containers: protected mode would refuse them all.
    case " $* " in
    *" --protected-mode "* | *.conf*) ;;
    *) set -- "$@" --protected-mode no ;;
    esac
    if [ "$(id -u)" = 0 ]; then
        find . \! -user redis -exec chown redis:redis {} +
        exec gosu redis "$@"
    fi
fi
exec "$@"
