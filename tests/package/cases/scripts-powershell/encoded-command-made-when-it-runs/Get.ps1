$bytes = [Text.Encoding]::Unicode.GetBytes("Restart-Service $Name")
pwsh -EncodedCommand ([Convert]::ToBase64String($bytes))
powershell.exe -EncodedCommand $env:LEDGER_JOB
