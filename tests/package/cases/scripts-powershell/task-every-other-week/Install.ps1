$splat = @{
    TaskName = 'LedgerArchive'
    Action   = New-ScheduledTaskAction -Execute 'C:\Ledger\archive.exe'
    Trigger  = New-ScheduledTaskTrigger -Weekly -WeeksInterval 2 -DaysOfWeek Sunday -At '04:00'
}
Register-ScheduledTask @splat -User 'LEDGER\svc-archive' -Password $env:ARCHIVE_PASSWORD
