#!/bin/sh
unit_of() {
  local name="$1"
  echo "${name}-server"
}
systemctl restart "$(unit_of app)"
systemctl restart "$(unit_of mail)"
