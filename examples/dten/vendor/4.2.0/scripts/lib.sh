# Shared by the upgrade scripts.
DTEN_HOME=/opt/dten
DTEN_ETC=/etc/dten
DTEN_VAR=/var/lib/dten
PARTNER=hooks.partner.example

log() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"; }

# post URL BODY: uses curl where there is one, else plain sockets.
post() {
    local url=$1 body=$2 rest host path
    if command -v curl >/dev/null 2>&1; then
        curl -fsS -m 5 -X POST -H 'Content-Type: application/json' -d "$body" "$url"
        return
    fi
    rest=${url#http://}
    host=${rest%%/*}
    path=/${rest#*/}
    exec 3<>"/dev/tcp/$host/80" || return 1
    printf 'POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' \
        "$path" "$host" "${#body}" "$body" >&3
    head -n 1 <&3
    exec 3>&-
}
