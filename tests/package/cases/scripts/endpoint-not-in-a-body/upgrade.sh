#!/bin/sh
post() {
    curl -fsS -X POST -H 'Origin: https://origin.example' -d "$2" "$1"
}
post https://hooks.vendor.example/hooks '{"target": "https://me.example/cb"}'
curl -sSd '{"next": "https://later.example"}' --url https://one.example/x
curl --json='{"a": "https://json.example"}' -F callback=https://form.example https://two.example/
wget --post-data 'u=https://posted.example' https://three.example/
http POST https://four.example/ callback=https://item.example header:https://h.example
