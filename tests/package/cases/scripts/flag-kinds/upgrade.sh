#!/bin/sh
sed -i 's/"hybrid": false/"hybrid": true/' /etc/app/flags.json
jq '.beta.enabled = true' /etc/app/features.json > /etc/app/features.json.new
echo '{"fast": true, "name": "x"}' > /etc/app/flags.json
psql -c "UPDATE feature_flags SET enabled = true WHERE name = 'new-ui'"
curl -X PUT -d '{"enabled": true}' https://flags.vendor.example/flags/turbo
