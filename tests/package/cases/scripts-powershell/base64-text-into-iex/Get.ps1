$code = [System.Text.Encoding]::UTF8.GetString([System.Convert]::FromBase64String('UmVzdGFydC1TZXJ2aWNlIExlZGdlckFnZW50'))
Invoke-Expression $code
