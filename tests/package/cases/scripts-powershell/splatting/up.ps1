$call = @{
  Uri = 'https://hooks.vendor.example/api/webhooks'
  Method = 'POST'
  Body = '{"url": "https://in.vendor.example/a"}'
}
Invoke-RestMethod @call
