$xml = Get-Content "$PSScriptRoot\ledger-task.xml" | Out-String
Register-ScheduledTask -Xml $xml -TaskName 'Ledger nightly' -User 'SYSTEM' -Force
Register-ScheduledTask -Xml (Get-Content "$env:ProgramData\Site\own.xml" -Raw) -TaskName 'Site task'
