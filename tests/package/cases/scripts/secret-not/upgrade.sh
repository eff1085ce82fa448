#!/bin/sh
PASSWORD="$1"
PASSWORD_FILE=/etc/x/pw
passwd_cmd=ask
DB_PASS=
TOKEN=$(openssl rand -hex 8)
ADMIN_PASSWORD=none
