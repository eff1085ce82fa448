$lines = @"
10.0.0.5 db.vendor.example
"@
Add-Content -Path C:\Windows\System32\drivers\etc\hosts -Value $lines
