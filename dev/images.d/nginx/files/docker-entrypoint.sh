#!/bin/sh
# Before nginx starts: fills the templates, then runs what lies in /docker-entrypoint.d.
set -e
case "$1" in
nginx | nginx-debug)
    from=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
    ending=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
    to=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
    if [ -d "$from" ]; then
        # Only variables that are set: the $host and $uri of nginx stay as they are.
        known=$(env | sed -nE "s/^([A-Za-z_][A-Za-z0-9_]*)=.*/\1/p" | grep -E "${NGINX_ENVSUBST_FILTER:-}" | sed 's/.*/${&}/' | tr '\n' ' ')
        find "$from" -type f -name "*$ending" | while read -r template; do
            made=$to/${template#"$from"/}
            made=${made%"$ending"}
            mkdir -p "$(dirname "$made")"
            envsubst "$known" <"$template" >"$made"
        done
    fi
    for part in /docker-entrypoint.d/*; do
        case "$part" in
        *.envsh) . "$part" ;;
        *.sh) "$part" ;;
        esac
    done
    ;;
esac
exec "$@"
