$t = New-ScheduledTaskTrigger -Once -At '2026-01-10 06:00' -RepetitionInterval (New-TimeSpan -Minutes 5)
$a = New-ScheduledTaskAction -Execute 'C:\Ledger\poll.exe' -Argument '--once'
Register-ScheduledTask -TaskName 'LedgerPoll' -Trigger $t -Action $a -User SYSTEM
