$base = 'https://{0}/{1}' -f 'api.vendor.example', 'v2'
$url = $base + '/flags/new-ui'
Invoke-RestMethod -Method Put -Uri $url -Body '{"enabled": true}'
