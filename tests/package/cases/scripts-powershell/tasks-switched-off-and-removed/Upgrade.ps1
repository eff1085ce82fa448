Disable-ScheduledTask -TaskName 'LedgerPoll' -TaskPath '\Ledger\'
Get-ScheduledTask -TaskName 'LedgerOld' -ErrorAction SilentlyContinue | Unregister-ScheduledTask -Confirm:$false
Start-ScheduledTask -TaskName 'LedgerPush'
