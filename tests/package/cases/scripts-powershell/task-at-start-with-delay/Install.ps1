$boot = New-ScheduledTaskTrigger -AtStartup -RandomDelay (New-TimeSpan -Minutes 10)
$logon = New-ScheduledTaskTrigger -AtLogOn -User 'LEDGER\operator'
Register-ScheduledTask -TaskName 'LedgerTray' -Trigger $boot, $logon -Action (New-ScheduledTaskAction -Execute 'C:\Ledger\tray.exe')
