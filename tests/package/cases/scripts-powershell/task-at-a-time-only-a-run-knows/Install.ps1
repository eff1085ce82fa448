$t = New-ScheduledTaskTrigger -Once -At (Get-Date).AddMinutes(5)
Register-ScheduledTask -TaskName 'LedgerLater' -Trigger $t -Action (New-ScheduledTaskAction -Execute 'C:\Ledger\later.exe') -User SYSTEM
