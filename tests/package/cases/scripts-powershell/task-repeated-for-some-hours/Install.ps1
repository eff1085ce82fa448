$action = New-ScheduledTaskAction -Execute 'C:\Ledger\push.exe'
$trigger = New-ScheduledTaskTrigger -Daily -At 7am
$trigger.Repetition = (New-ScheduledTaskTrigger -Once -At 7am -RepetitionInterval ([TimeSpan]::FromMinutes(15)) -RepetitionDuration (New-TimeSpan -Hours 10)).Repetition
Register-ScheduledTask -TaskName 'LedgerPush' -Action $action -Trigger $trigger
