$trigger = New-JobTrigger -Daily -At '1:10 AM'
Register-ScheduledJob -Name LedgerStats -FilePath 'C:\Ledger\stats.ps1' -Trigger $trigger -ScheduledJobOption (New-ScheduledJobOption -RunElevated)
